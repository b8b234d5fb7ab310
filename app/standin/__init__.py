"""A stand-in for every external API: rates, chat completions, Google's login, messages, stores.

`python -m app.standin --port 8090`. Its latency and the shares of answers that wait or fail are set at the start, or
while it runs by `PUT /behaviour`.
"""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request, Response

from app.standin import chat, google, messages, rates, store
from app.standin.behaviour import Behaviour, Misbehaviour

__all__ = ["Behaviour", "create_app"]


def create_app(behaviour: Behaviour) -> FastAPI:
    """Return the stand-in."""
    app = FastAPI(title="Stand-in for external APIs")
    misbehaviour = Misbehaviour(behaviour)

    @app.middleware("http")
    async def misbehave(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        return await misbehaviour.answer(request, answer)

    @app.put("/behaviour")
    async def change(new: Behaviour) -> Behaviour:
        misbehaviour.current = new
        return new

    for part in (rates, chat, google, messages, store):
        app.include_router(part.routes())
    return app
