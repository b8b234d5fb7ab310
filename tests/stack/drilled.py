"""An ordinary service that breaks, in each way that somebody is told of, as it is asked to."""

import asyncio
import logging
import os

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Policy
from mita_otel.errors import AuthenticationError, DatabaseError
from mita_otel.metrics import business
from mita_otel.web import problems

logger = logging.getLogger("drilled")
engine = create_async_engine(url) if (url := os.environ.get("DATABASE_URL")) else None
rates = CircuitBreaker("rates", Policy(failure_threshold=3, success_threshold=1, open_seconds=5, open_jitter=0))
app = FastAPI()
problems.install(app)


@app.get("/fine")
async def fine() -> str:
    return "fine"


@app.get("/broken")
async def broken() -> None:
    raise RuntimeError("a fault of the service's own")


@app.get("/slow")
async def slow() -> str:
    await asyncio.sleep(1.2)
    return "late"


@app.get("/query")
async def query() -> int:
    if engine is None:
        raise RuntimeError("DATABASE_URL is not set")
    try:
        async with engine.connect() as connection:
            return int((await connection.execute(text("SELECT 1"))).scalar_one())
    except (OSError, SQLAlchemyError) as error:
        raise DatabaseError("the database is away") from error


@app.get("/rates")
async def exchange(fail: bool) -> str:  # noqa: FBT001 - a parameter of the query
    try:
        return await rates.call_async(_ask, fail=fail)
    except (ConnectionError, CircuitOpenError):
        return "without rates"


async def _ask(*, fail: bool) -> str:
    if fail:
        raise ConnectionError("the rates API is down")
    return "with rates"


@app.get("/login")
async def login(password: str) -> str:
    if password != "right":
        business.authentication_failed("password", "credentials")
        raise AuthenticationError("e-mail address or password is wrong")
    business.authenticated("password")
    return "welcome"


@app.get("/log")
async def log(lines: int) -> None:
    for number in range(lines):
        logger.error("something is wrong, for the time number %d", number)
