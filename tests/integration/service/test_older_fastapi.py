"""FastAPI without native telemetry: contrib's instrumentation, once a request and without its noise."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver

OLDER = Path(sys.prefix) / "overlays" / "fastapi-0.141"


@pytest.fixture
def launch_older(launch: Callable[..., Any]) -> Callable[..., Any]:
    assert (OLDER / "fastapi").exists(), "run 'make setup'"
    return lambda: launch(PYTHONPATH=f"{OLDER}:.")


def test_a_request_leaves_one_server_span_with_its_correlation_id(
    launch_older: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch_older()
    service.client.get("/items/1", headers={"x-correlation-id": "order-42"})
    service.client.get("/health")
    service.stop()
    (span,) = otlp_receiver.spans
    assert (span["name"], span["attributes"]["correlation_id"]) == ("GET /items/{item}", "order-42")


def test_a_mounted_application_is_counted_once(launch_older: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch_older()
    service.client.get("/mounted/things/1")
    service.stop()
    assert len(otlp_receiver.spans) == 1
    assert [p["count"] for p in otlp_receiver.latest_points("http.server.request.duration")] == [1]


def test_hosts_make_no_series(launch_older: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch_older()
    for number in range(50):
        service.client.get("/items/1", headers={"host": f"host-{number}.example"})
    service.stop()
    assert [p["count"] for p in otlp_receiver.latest_points("http.server.request.duration")] == [50]
