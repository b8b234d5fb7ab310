"""`X-Degraded`: tells the client of each feature of which they got less."""

from typing import Final

from mita_otel.degradation import Note, notes
from mita_otel.web.asgi import Application, Message, Receive, Scope, Send

HEADER: Final = b"x-degraded"


class Degraded:
    """Adds a header to each answer that holds less than it could: `ai_insights;mode=cached;age=120`."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; pass everything else through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told: list[Note] = []

        async def telling(message: Message) -> None:
            if told and message["type"] == "http.response.start":
                header = (HEADER, ", ".join(map(str, told)).encode())
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        token = notes.set(told)
        try:
            await self._app(scope, receive, telling)
        finally:
            notes.reset(token)
