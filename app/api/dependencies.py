"""What routes ask for."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.errors import ApiError
from app.quotas import CALLER
from app.security import Caller
from app.services import Services
from mita_otel.logs import audit

_bearer = HTTPBearer(auto_error=False)


async def services(request: Request) -> Services:
    """Return what the application holds."""
    held: Services = request.app.state.services
    return held


ServicesNeeded = Annotated[Services, Depends(services)]


async def caller(
    request: Request,
    held: ServicesNeeded,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Return who sends the request; the token says it all, no query is needed."""
    if credentials is None:
        raise ApiError(401, "AUTHENTICATION_REQUIRED", "a valid bearer token is needed")
    found: Caller = request.scope.get(CALLER) or held.tokens.read(credentials.credentials)
    held.presence.seen(found.user_id)
    audit.acting(found.user_id)
    return found


CallerNeeded = Annotated[Caller, Depends(caller)]
