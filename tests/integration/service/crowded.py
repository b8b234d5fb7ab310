"""A service with too small a pool, too many kinds of answers, a callback that hangs: it feeds metrics of shortage."""

import os
import threading

from fastapi import FastAPI, Response
from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine

app = FastAPI()
engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=1, max_overflow=0, pool_timeout=0.05)


def _hang(_: CallbackOptions) -> list[Observation]:
    threading.Event().wait()
    return []


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


@app.get("/status/{code}")
async def status(code: int) -> Response:
    return Response(status_code=code)
