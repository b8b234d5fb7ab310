"""The probe span, found in the real console over both protocols."""

import pytest

from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceFactory
from tests.integration.doctor.conftest import Examine


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_the_probe_span_is_found_in_the_console(examine: Examine, start_service: ServiceFactory, protocol: str) -> None:
    page, http, grpc = find_free_port(), find_free_port(), find_free_port()
    ports = ["--port", str(page), "--otlp-http-port", str(http), "--otlp-grpc-port", str(grpc)]
    start_service(["mita-otel", "console", *ports], {}, url=f"http://127.0.0.1:{page}/")
    diagnosis = examine(
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{grpc if protocol == 'grpc' else http}",
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        MITA_CONSOLE_URL=f"http://127.0.0.1:{page}",
    )
    assert diagnosis.troubles == {}
    assert diagnosis.of("arrival")[0]["sentence"].startswith("the probe span is in console at")
    assert "agrees" in diagnosis.of("clock")[0]["sentence"]
