"""Login by Google: an authorization code, exchanged for whom it stands for.

Source: RFC 6749 section 4.1, RFC 7636 (PKCE), OpenID Connect Core 1.0 section 5.3.
"""

import base64
import hashlib
import logging
from dataclasses import dataclass
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from app.clients.upstream import Upstream, UpstreamError
from app.errors import ApiError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the provider is asked."""

    authorization: str
    token: str
    userinfo: str

    @classmethod
    def of(cls, base: str | None) -> "Endpoints":
        """Return those of a stand-in under one address, or Google's own."""
        if base is not None:
            return cls(f"{base}/o/oauth2/v2/auth", f"{base}/token", f"{base}/userinfo")
        return cls(
            "https://accounts.google.com/o/oauth2/v2/auth",
            "https://oauth2.googleapis.com/token",
            "https://openidconnect.googleapis.com/v1/userinfo",
        )


class Person(BaseModel):
    """Whom the provider knows."""

    sub: str = Field(min_length=1, max_length=255)
    email: str = Field(max_length=254)
    email_verified: bool = False
    name: str = Field(default="", max_length=1000)


class _Tokens(BaseModel):
    access_token: str = Field(min_length=1, max_length=10_000)


class Google:
    """Sends browsers to the provider, and asks it who came back."""

    def __init__(
        self,
        endpoints: Endpoints,
        client_id: str | None,
        secret: str | None,
        redirect_uri: str,
        upstream: Upstream,
    ) -> None:
        """Take this service's registration at the provider; without an id or a secret nobody can log in this way."""
        self._endpoints = endpoints
        self._client_id = client_id
        self._secret = secret
        self._redirect_uri = redirect_uri
        self._upstream = upstream

    def address(self, state: str, verifier: str) -> str:
        """Return where to send the browser.

        Args:
            state: comes back with the browser.
            verifier: PKCE's secret, 43 to 128 characters; only its hash travels.

        Raises:
            ApiError: 503 if the service is not registered.
        """
        client_id, _ = self._registration()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": client_id,
            "redirect_uri": self._redirect_uri,
            "response_type": "code",
            "scope": "openid email profile",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{self._endpoints.authorization}?{urlencode(query)}"

    async def person(self, code: str, verifier: str) -> Person:
        """Return who a code stands for.

        The answer comes over the service's own connection to the provider, so no signature of an ID token is needed.

        Raises:
            ApiError: 401 if the provider does not accept the code, 503 if it fails or answers nonsense.
        """
        client_id, secret = self._registration()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "client_id": client_id,
            "client_secret": secret,
            "code_verifier": verifier,
        }
        try:
            token = self._endpoints.token
            tokens = await self._upstream.call("POST", token, read=_Tokens.model_validate, data=form)
            headers = {"authorization": f"Bearer {tokens.access_token}"}
            userinfo = self._endpoints.userinfo
            return await self._upstream.call("GET", userinfo, read=Person.model_validate, headers=headers)
        except UpstreamError as error:
            if error.is_refusal:
                raise ApiError(401, "GOOGLE_LOGIN_FAILED", "the login was not accepted by Google") from error
            raise _failed(str(error)) from error

    def _registration(self) -> tuple[str, str]:
        if self._client_id is None or self._secret is None:
            raise _unavailable("login by Google is not configured (GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET)")
        return self._client_id, self._secret


def _failed(cause: str) -> ApiError:
    logger.warning("login by Google failed", extra={"cause": cause})
    return _unavailable("login by Google is not available now")


def _unavailable(message: str) -> ApiError:
    return ApiError(503, "GOOGLE_UNAVAILABLE", message)
