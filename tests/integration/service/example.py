"""A small service for tests of the distribution: logs, faults, streams, background work, a mounted application."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator

import httpx
from fastapi import APIRouter, BackgroundTasks, FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
mounted = FastAPI()
logger = logging.getLogger("example")


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/heap")
async def heap() -> dict[str, object]:
    return {"frozen": gc.get_freeze_count(), "threshold": gc.get_threshold()}


@app.get("/import-path")
async def import_path() -> list[str]:
    return sys.path


@app.get("/items/{item}")
async def read_item(item: str) -> dict[str, str]:
    logger.info("item %s read", item, extra={"item": item, "password": "hunter2"})
    return {"item": item}


@app.post("/echo")
async def echo(body: dict[str, str]) -> dict[str, str]:
    return body


@app.get("/fails")
async def fails() -> None:
    raise ValueError("card 4111 1111 1111 1111 was refused")


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@app.get("/unprintable")
async def unprintable() -> None:
    raise UnprintableError


@app.get("/broken-log")
async def broken_log() -> dict[str, str]:
    logger.info("%d items of %s", "not a number")  # noqa: PLE1206 - broken on purpose
    logger.info("line\nbreak \x1b[31m and \x00 control", extra={"odd": object(), "deep": {"a": [{"b": {1, 2}}]}})
    logger.info("x" * 200_000)
    return {"status": "logged"}


@app.get("/stream")
async def stream() -> StreamingResponse:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            await asyncio.sleep(0.01)
            yield b"x" * 100

    return StreamingResponse(chunks())


@app.get("/background")
async def background(tasks: BackgroundTasks) -> dict[str, str]:
    tasks.add_task(asyncio.sleep, 1.0)
    return {"status": "started"}


@app.post("/call")
async def call(urls: list[str]) -> dict[str, int]:
    async with httpx.AsyncClient(trust_env=False) as client:
        answers = [await client.post(url) for url in urls]
    return {"called": len(answers)}


@mounted.get("/things/{thing}")
async def thing(thing: str) -> dict[str, str]:
    return {"thing": thing}


app.mount("/mounted", mounted)

included = APIRouter(prefix="/included")


@included.post("/echo")
async def echo_of_a_router(body: dict[str, str]) -> dict[str, str]:
    return body


app.include_router(included)
