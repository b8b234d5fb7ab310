"""A provider of logins that asks nobody: whoever comes is whom `login_hint` names."""

import base64
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Header, HTTPException
from fastapi.responses import RedirectResponse

CALLBACK = "/api/auth/google/callback"
"""The only path that browsers are sent back to."""

MOST = 1000
"""Codes and tokens that are remembered; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a code was given for."""

    client_id: str
    redirect_uri: str
    challenge: str
    email: str


def routes() -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    codes: OrderedDict[str, Grant] = OrderedDict()
    tokens: OrderedDict[str, str] = OrderedDict()

    @router.get("/o/oauth2/v2/auth")
    async def authorize(
        *,
        client_id: str,
        redirect_uri: str,
        state: str,
        code_challenge: str,
        code_challenge_method: str,
        login_hint: str = "jane.doe@gmail.example",
    ) -> RedirectResponse:
        if code_challenge_method != "S256" or not redirect_uri.endswith(CALLBACK):
            raise HTTPException(400, "this client is not registered so")
        code = secrets.token_urlsafe(24)
        _keep(codes, code, Grant(client_id, redirect_uri, code_challenge, login_hint))
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}", 302)

    @router.post("/token")
    async def token(
        code: Annotated[str, Form()],
        redirect_uri: Annotated[str, Form()],
        client_id: Annotated[str, Form()],
        client_secret: Annotated[str, Form()],
        code_verifier: Annotated[str, Form()],
    ) -> dict[str, Any]:
        grant = codes.pop(code, None)  # a code is good once
        hashed = hashlib.sha256(code_verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
        asked = (client_id, redirect_uri, challenge)
        if grant is None or not client_secret or asked != (grant.client_id, grant.redirect_uri, grant.challenge):
            raise HTTPException(400, "invalid_grant")
        access_token = secrets.token_urlsafe(24)
        _keep(tokens, access_token, grant.email)
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": 3600, "scope": "openid email"}

    @router.get("/userinfo")
    async def userinfo(authorization: Annotated[str, Header()]) -> dict[str, Any]:
        email = tokens.get(authorization.removeprefix("Bearer "))
        if email is None:
            raise HTTPException(401, "invalid_token")
        subject = hashlib.sha256(email.encode()).hexdigest()[:21]
        name = email.partition("@")[0].replace(".", " ").title()
        verified = not email.startswith("unverified")
        return {"sub": subject, "email": email, "email_verified": verified, "name": name}

    return router


def _keep(kept: OrderedDict[str, Any], key: str, value: Any) -> None:
    kept[key] = value
    if len(kept) > MOST:
        kept.popitem(last=False)
