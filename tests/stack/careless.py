"""A service that puts what it is sent into everything that telemetry carries, as careless code does."""

import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import redis.asyncio as redis
from fastapi import FastAPI, HTTPException, Request
from opentelemetry import baggage, context, trace
from opentelemetry.trace import Link, StatusCode
from pydantic import BaseModel
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from mita_otel.errors import ExternalServiceError
from mita_otel.logs import audit
from mita_otel.logs.audit import schema
from mita_otel.web import problems

FOLDER = os.environ["CARELESS_FOLDER"]
SINK = os.environ["CARELESS_SINK"]
AUDIT = f"sqlite:///{FOLDER}/audit.sqlite3"

logger = logging.getLogger("careless")
tracer = trace.get_tracer("careless")
engine = create_async_engine(f"sqlite+aiosqlite:///{FOLDER}/careless.sqlite3")


class Planted(BaseModel):
    """A string, by the name that it has among people, and how it stands in a sentence."""

    name: str
    value: str
    said: str


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    with create_engine(AUDIT).begin() as connection:
        schema.upgrade(connection)
    async with audit.running(AUDIT, folder=f"{FOLDER}/audit"):
        yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
problems.install(app)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/sink")
@app.get("/sink/{rest:path}")
async def sink(request: Request) -> dict[str, str]:
    logger.info("asked for %s with %s", request.url, dict(request.headers), extra={"headers": request.headers.items()})
    return {"status": "ok"}


@app.post("/careless")
async def careless(planted: list[Planted]) -> None:
    """Log, trace, query, call, audit, and fail."""
    for each in planted:
        _log(each)
        _trace(each)
    await _query(planted)
    await _cache(planted)
    await _call(planted)
    _audit(planted)
    _fail(planted)


def _log(each: Planted) -> None:
    name, value, said = each.name, each.value, each.said
    logger.info("saw %s (%r)", said, {name: value}, extra={name: value, "payload": {"list": [(name, value)]}})
    logger.warning(f"saw {said}", extra={"body": json.dumps({"in": json.dumps({name: value, "note": said})})})  # noqa: G004 - careless


def _trace(each: Planted) -> None:
    name, value, said = each.name, each.value, each.said
    link = Link(trace.get_current_span().get_span_context(), {name: value, "note": said})
    with tracer.start_as_current_span(f"work on {said}", links=[link]) as span:
        span.set_attributes({name: value, "note": said, "notes": [said, "x"], "json": json.dumps({name: value})})
        span.add_event(f"saw {said}", {name: value, "notes": (said,)})
        span.set_status(StatusCode.ERROR, f"refused {said}")


async def _query(planted: list[Planted]) -> None:
    async with engine.connect() as connection:
        for each in planted:
            literal = each.value.replace("'", "''").replace(":", r"\:")
            await connection.execute(text(f"SELECT '{literal}' AS {each.name.replace('-', '_')} -- {each.name}"))
        try:
            await connection.execute(text(f"SELECT '{literal}' FROM missing"))
        except SQLAlchemyError:
            logger.warning("refused by the database", exc_info=True)


async def _cache(planted: list[Planted]) -> None:
    async with redis.from_url(os.environ["REDIS_URL"]) as client, client.pipeline() as pipeline:
        for each in planted:
            pipeline.set(f"user:{each.said}", each.value, ex=60)
        await pipeline.execute()


async def _call(planted: list[Planted]) -> None:
    carried = context.get_current()
    for each in planted:
        carried = baggage.set_baggage(each.name, each.value, carried)
    token = context.attach(carried)
    headers = {each.name: each.value for each in planted}
    query: list[tuple[str, Any]] = [(each.name, each.value) for each in planted]
    query += [("q", each.said) for each in planted]
    try:
        async with httpx.AsyncClient(trust_env=False, auth=("user", planted[0].value)) as client:
            await client.get(SINK, params=query, headers=headers)
            await client.get(f"{SINK}/{planted[-1].said.replace('/', '-')}/more")
    finally:
        context.detach(token)


def _audit(planted: list[Planted]) -> None:
    before = {each.name: each.value for each in planted}
    audit.modification("card.changed", before=before, after={"note": [each.said for each in planted]})
    for each in planted:
        audit.record(audit.EventType.DATA_ACCESS, "card.read", details={each.name: each.value, "n": each.said})


def _fail(planted: list[Planted]) -> None:
    said = "; ".join(each.said for each in planted)
    error = ValueError(f"refused {said}", {each.name: each.value for each in planted})
    error.add_note(f"because of {said}")
    answers = [
        HTTPException(500, detail=said),
        ExternalServiceError(said, details={"seen": {each.name: each.value for each in planted}, "said": [said]}),
        error,
    ]
    raise answers[len(planted) % 3] from KeyError(said)
