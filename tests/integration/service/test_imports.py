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


def test_a_program_that_uses_httpx_loads_neither_its_command_line_nor_breakers_until_it_calls_them(
    start_service: Callable[..., ServiceProcess], otlp_receiver: OtlpReceiver
) -> None:
    program = (
        "import json, sys, httpx; print(json.dumps(sorted(sys.modules)))\n"
        "try: httpx.main(['--help'])\n"
        "finally: import httpx._main; print(httpx._main.__file__)"
    )
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint, "MITA_STRICT": "1"}
    process = start_service(["opentelemetry-instrument", "python", "-c", program], variables)
    assert process.wait(60) == 0
    first, *_, help_text, path = process.stdout.splitlines()
    assert {"rich", "click", "mita_otel.breakers"} & set(json.loads(first)) == set()
    assert path.endswith("_main.py"), help_text
