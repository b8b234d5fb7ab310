"""Real servers, and an application that has to answer in time."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from mita_otel.libraries import sqlalchemy as instrumentation
from mita_otel.retries.sqlalchemy import spend_deadlines
from mita_otel.settings import RetrySettings
from mita_otel.web.asgi import Application
from mita_otel.web.deadline import Deadlines
from tests.unit.libraries.conftest import _instrumentation_undone, recording
from tests.unit.libraries.recording import Recording

__all__ = ["_instrumentation_undone", "recording"]


def client_of(app: Application, **options: Any) -> httpx.AsyncClient:
    """A client of an application with deadlines, in this process."""
    settings = RetrySettings.model_validate({})
    served = Deadlines(app, settings=settings, **options)
    return httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://service")


def connect(postgres_url: str, **options: Any) -> AsyncEngine:
    """An engine with one connection, that keeps to deadlines."""
    url = make_url(postgres_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=5)
    spend_deadlines(engine, **options)
    return engine


@pytest.fixture
async def engine(postgres_url: str, recording: Recording) -> AsyncIterator[AsyncEngine]:
    """An instrumented engine with one connection, that keeps to deadlines."""
    instrumentation.instrument(recording.telemetry)
    engine = connect(postgres_url)
    yield engine
    await engine.dispose()


@pytest.fixture
async def operator(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of an operator's, with the table `accounts` and one row in it."""
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL)")
    await connection.execute("INSERT INTO accounts VALUES (1, 100), (2, 100)")
    yield connection
    await connection.close()
