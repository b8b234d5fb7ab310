"""The client is told of what it got less of."""

from typing import Any

import httpx

from mita_otel.degradation import Mode, Note, notes
from mita_otel.web.degraded import Degraded


async def application(scope: Any, _: Any, send: Any) -> None:
    told = notes.get()
    assert told is not None
    if scope["path"] == "/less":
        told.append(Note("ai_insights", Mode.CACHED, 120.4))
        told.append(Note("ocr", Mode.GENERIC, None))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
    await send({"type": "http.response.body", "body": b""})


async def get(path: str) -> httpx.Response:
    app: Any = Degraded(application)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get(path)


async def test_an_answer_with_less_says_of_what() -> None:
    answer = await get("/less")
    assert answer.headers["x-degraded"] == "ai_insights;mode=cached;age=120, ocr;mode=generic"
    assert answer.headers["x-own"] == "1"


async def test_an_answer_with_all_of_it_says_nothing() -> None:
    assert "x-degraded" not in (await get("/all")).headers
    assert notes.get() is None
