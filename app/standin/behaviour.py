"""How the stand-in misbehaves."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

CONTROL = ("/behaviour", "/openapi.json", "/inbox")
"""What tests and people look at: never late, never wrong."""


class Behaviour(BaseModel):
    """How the stand-in misbehaves, on all paths or on those that begin with `path`."""

    latency: Annotated[float, Field(ge=0, le=60)] = 0.0
    latency_rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    garbage: str | None = Field(default=None, max_length=1_000_000)
    """Sent as the whole answer, if given."""
    path: str = Field(default="/", max_length=100)


class Misbehaviour:
    """Waits, fails and talks nonsense, as told."""

    def __init__(self, behaviour: Behaviour) -> None:
        """Begin as given."""
        self.current = behaviour

    async def answer(self, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Answer a request, or misbehave."""
        now = self.current
        path = request.url.path
        if path.startswith(CONTROL) or not path.startswith(now.path):
            return await answer(request)
        if now.garbage is not None:
            return Response(now.garbage, media_type="application/json")
        if random.random() < now.latency_rate:  # noqa: S311 - chance, not secrecy
            await asyncio.sleep(now.latency)
        if random.random() < now.error_rate:  # noqa: S311 - chance, not secrecy
            return JSONResponse({"detail": "as told"}, 502)
        return await answer(request)
