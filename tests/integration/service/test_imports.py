"""A process loads what it uses."""

import json
from collections.abc import Callable

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.service import ServiceProcess

UNUSED = {
    "asyncpg",
    "fastapi",
    "google.protobuf",
    "grpc",
    "httpx",
    "opentelemetry.exporter.otlp",
    "opentelemetry.instrumentation.httpx",
    "opentelemetry.proto",
    "prometheus_client",
    "redis",
    "requests",
    "sentry_sdk",
    "sqlalchemy",
    "uvicorn",
}


def test_a_program_that_uses_no_library_loads_none(
    start_service: Callable[..., ServiceProcess], otlp_receiver: OtlpReceiver
) -> None:
    program = "import json, sys; print(json.dumps(sorted(sys.modules)))"
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint, "MITA_STRICT": "1"}
    process = start_service(["opentelemetry-instrument", "python", "-c", program], variables)
    assert process.wait(60) == 0
    loaded = set(json.loads(process.stdout.splitlines()[0]))
    assert "mita_otel.bootstrap" in loaded
    assert loaded & UNUSED == set()
