"""A body is counted while it arrives."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from app import errors
from app.limits import BodyLimit


@pytest.fixture
def read() -> list[int]:
    return []


@pytest.fixture
def client(read: list[int]) -> httpx.AsyncClient:
    async def count(request: Request) -> PlainTextResponse:
        read.append(len(await request.body()))
        return PlainTextResponse("read")

    app = FastAPI()
    for path in ("/large", "/small"):
        app.add_route(path, count, methods=["POST"])
    app.add_middleware(BodyLimit, paths={"/large": 100}, default=10)
    errors.install(app)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


@pytest.mark.parametrize(("path", "size"), [("/small", 10), ("/large", 100), ("/small", 0)])
async def test_what_fits_is_read(client: httpx.AsyncClient, read: list[int], path: str, size: int) -> None:
    assert (await client.post(path, content=b"x" * size)).text == "read"
    assert read == [size]


@pytest.mark.parametrize(("path", "size"), [("/small", 11), ("/large", 101)])
async def test_what_says_that_it_is_too_large_is_refused_unread(
    client: httpx.AsyncClient, read: list[int], path: str, size: int
) -> None:
    answer = await client.post(path, content=b"x" * size)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "BODY_TOO_LARGE")
    assert read == []


async def test_what_does_not_say_how_large_it_is_is_counted(client: httpx.AsyncClient, read: list[int]) -> None:
    class Parts(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            for _ in range(4):
                yield b"xxx"

    assert (await client.post("/small", content=Parts())).status_code == 413
    assert read == []


@pytest.mark.parametrize("length", ["", "-1", "1e3", "9" * 30, "x"])
async def test_a_length_that_is_no_number_says_nothing(client: httpx.AsyncClient, length: str) -> None:
    answer = await client.post("/small", content=b"x", headers={"content-length": length})
    assert answer.text == "read"
