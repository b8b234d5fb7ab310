"""A service with too small a pool, slow and repeated queries, too many kinds of answers, a callback that hangs.

It feeds the metrics of shortage, and those of a cache.
"""

import os
import threading

import redis.asyncio
from fastapi import FastAPI, Response
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

from mita_otel.cache import RedisCache, cached
from mita_otel.libraries.slow import slow_queries
from mita_otel.metrics.database import transaction_retried

app = FastAPI()
engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=0.05)
answers = RedisCache(redis.asyncio.Redis.from_url(os.environ["REDIS_URL"]), "answers")


def _hang(_: CallbackOptions) -> list[Observation]:
    threading.Event().wait()
    return []


if "HANGING" in os.environ:  # the end waits for it, for two seconds
    metrics.get_meter("crowded").create_observable_gauge("crowded.hanging", [_hang])


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/crowd")
async def crowd() -> dict[str, bool]:
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
        try:
            async with engine.connect():
                return {"timed_out": False}
        except PoolTimeoutError:
            return {"timed_out": True}


@app.get("/repeats/{times}")
async def repeats(times: int) -> dict[str, list[str]]:
    """Run one statement so often, each time slowly."""
    async with engine.connect() as connection:
        for number in range(times):
            await connection.execute(text("SELECT pg_sleep(0.02), CAST(:number AS int)"), {"number": number})
        await connection.rollback()
    transaction_retried("deadlock")
    return {"slow": [query.summary for query in slow_queries()]}


@cached(answers, key=str)
async def answer_of(number: int) -> int:
    return number + 1


@app.get("/answers/{number}")
async def answer(number: int) -> dict[str, int]:
    return {"answer": await answer_of(number)}


@app.get("/status/{code}")
async def status(code: int) -> Response:
    return Response(status_code=code)
