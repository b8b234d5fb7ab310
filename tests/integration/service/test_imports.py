"""A process loads what it uses."""

import json
from collections.abc import Callable

import httpx
import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ROOT, ServiceProcess
from tests.integration.service.conftest import APPLICATION

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

UNTOUCHED = {
    "mita_otel.breakers",
    "mita_otel.errors.groups",
    "mita_otel.errors.reporting",
    "mita_otel.export.spool",
    "mita_otel.export.spooling",
    "mita_otel.libraries.slow.plan",
    "mita_otel.logs.files",
    "mita_otel.logs.rotation",
    "mita_otel.retries.budget",
    "mita_otel.retries.ledger",
    "mita_otel.retries.policy",
    "mita_otel.sentry",
    "psutil",
}
"""What a service uses once it has errors or retries, or where it is asked for, and not as it starts."""

RARE = {
    "cards": ("_enclosing", "_numbers_alone", "_numbers_among_others"),
    "ibans": ("_candidates",),
    "pairs": ("_authorization",),
    "patterns": ("_api_keys", "_credentials", "_international_phones", "_numbers", "_phones", "_security_numbers"),
    "statements": ("_array", "_in", "_rows", "_tokens"),
}
"""Expressions of redaction that take long to compile, and are not looked for at a start."""


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
    assert ({"rich", "click"} | UNTOUCHED) & set(json.loads(first)) == set()
    assert path.endswith("_main.py"), help_text


@pytest.mark.parametrize("launcher", ["opentelemetry-instrument", "mita-instrument"])
def test_a_service_has_started_without_what_it_does_not_need_yet(
    launcher: str, start_service: Callable[..., ServiceProcess], otlp_receiver: OtlpReceiver
) -> None:
    asked = "{name: [getattr(import_module('mita_otel.redaction.' + name), one).cache_info().currsize for one in ones]"
    program = (
        "import json, sys, fastapi, httpx, sqlalchemy.ext.asyncio; from importlib import import_module;"
        f"print(json.dumps([sorted(sys.modules), {asked} for name, ones in {RARE!r}.items()}}]))"
    )
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint, "MITA_STRICT": "1"}
    process = start_service([launcher, "python", "-c", program], variables)
    assert process.wait(60) == 0
    loaded, compiled = json.loads(process.stdout.splitlines()[0])
    assert {"mita_otel.libraries.fastapi", "mita_otel.libraries.httpx", "mita_otel.libraries.sqlalchemy"} <= set(loaded)
    assert UNTOUCHED & set(loaded) == set()
    assert compiled == {name: [0] * len(ones) for name, ones in RARE.items()}


@pytest.mark.parametrize("launcher", ["opentelemetry-instrument", "mita-instrument"])
def test_a_failed_import_of_a_served_process_looks_into_no_folder_of_the_launchers(
    start_service: Callable[..., ServiceProcess], otlp_receiver: OtlpReceiver, launcher: str
) -> None:
    port = find_free_port()
    start_service(
        [launcher, "uvicorn", APPLICATION, "--port", str(port)],
        {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint, "MITA_STRICT": "1"},
        url=f"http://127.0.0.1:{port}/health",
    )
    path = httpx.get(f"http://127.0.0.1:{port}/import-path", timeout=10).json()
    assert path[0] == "", "uvicorn's"
    assert str(ROOT) not in path
    assert [entry for entry in path if entry.endswith(("auto_instrumentation", "hook"))] == []
