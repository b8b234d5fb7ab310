import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
import redis.asyncio
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from mita_otel.libraries import asyncpg, sqlalchemy
from mita_otel.libraries import httpx as http
from mita_otel.libraries import redis as cache
from tests.unit.libraries.recording import Recording


class Empty(BaseHTTPRequestHandler):
    """Answers 204."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name upstream
        """Say nothing."""


@pytest.fixture
def rates_url() -> Iterator[str]:
    """A real HTTP server."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Empty) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/rates"
        server.shutdown()
        thread.join()


async def test_one_query_one_pipeline_and_one_call_are_three_spans(
    postgres_url: str, redis_url: str, rates_url: str, recording: Recording
) -> None:
    for library in (sqlalchemy, asyncpg, cache, http):
        library.instrument(recording.telemetry)
    engine = create_async_engine(make_url(postgres_url).set(drivername="postgresql+asyncpg"), pool_pre_ping=True)

    with recording.request():
        async with engine.begin() as connection:
            await connection.execute(text("SELECT 1 FROM pg_class LIMIT 1"))
        async with redis.asyncio.Redis.from_url(redis_url) as client, client.pipeline() as pipeline:
            pipeline.set("a", "1")
            pipeline.get("a")
            await pipeline.execute()
        async with httpx.AsyncClient(trust_env=False) as http_client:
            await http_client.get(rates_url)
    await engine.dispose()

    assert recording.tree() == ["request > SELECT pg_class", "request > PIPELINE", "request > GET"]
