"""MITA Finance and its stand-in, telling the real stack."""

import sys
from typing import NamedTuple
from uuid import uuid4

from mita_otel.stack import NativeStack
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceFactory


class Served(NamedTuple):
    """The service's name in telemetry, its address, and its stand-in's."""

    name: str
    url: str
    external: str


def serve_finance(stack: NativeStack, start_service: ServiceFactory, database: str, **environment: str) -> Served:
    """Serve it on a database of the test's own, with insights and rates from the stand-in, until the test ends."""
    stack.up(standard=False)
    url, external = (f"http://127.0.0.1:{find_free_port()}" for _ in range(2))
    name = f"finance-{uuid4().hex[:8]}"
    standin = [sys.executable, "-m", "app.standin", "--port", external.rpartition(":")[2]]
    start_service(standin, {"PYTHONPATH": "."}, url=f"{external}/inbox")
    start_service(
        ["opentelemetry-instrument", "uvicorn", "app.main:app", "--port", url.rpartition(":")[2]],
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": stack.endpoints.otlp_http,
            "OTEL_SERVICE_NAME": name,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "MITA_STRICT": "1",
            "MITA_TRACE_RESPONSE": "traceresponse",
            "DATABASE_URL": database,
            "INSIGHTS_API_URL": external,
            "RATES_API_URL": external,
            "MIGRATE_ON_START": "true",
            "JWT_SECRET": "s" * 40,
            "PYTHONPATH": ".",
            **environment,
        },
        url=f"{url}/health/ready",
    )
    return Served(name, url, external)
