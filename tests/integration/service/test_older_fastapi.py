"""FastAPI without native telemetry: contrib's instrumentation, once a request and without its noise."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver

OLDER = Path(sys.prefix) / "overlays" / "fastapi-0.141"


@pytest.mark.parametrize("path", ["native", "contrib"])
def test_the_other_paths_can_be_chosen_on_a_new_fastapi(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver, path: str
) -> None:
    service = launch(MITA_SERVER_PATH=path)
    for target in ("/items/1", "/mounted/things/1", "/health"):
        service.client.get(target, headers={"x-correlation-id": "order-42"})
    service.stop()
    routes = ["/items/{item}", "/mounted/things/{thing}"]
    named = [(span["name"], span["attributes"]["correlation_id"]) for span in otlp_receiver.spans]
    assert named == [(f"GET {route}", "order-42") for route in routes]
    durations = otlp_receiver.latest_points("http.server.request.duration")
    assert sorted((point["attributes"]["http.route"], point["count"]) for point in durations) == [
        (r, 1) for r in routes
    ]


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


def test_a_mounted_application_is_counted_once_under_its_whole_route(
    launch_older: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch_older()
    assert service.client.get("/mounted/things/1").status_code == 200
    service.stop()
    route = "/mounted/things/{thing}"
    (span,) = otlp_receiver.spans
    assert (span["name"], span["attributes"]["http.route"]) == (f"GET {route}", route)
    for metric in ("http.server.request.duration", "http.server.request.body.size", "http.server.response.body.size"):
        counted = [(p["count"], p["attributes"]["http.route"]) for p in otlp_receiver.latest_points(metric)]
        assert (metric, counted) == (metric, [(1, route)])


def test_a_mounted_path_without_a_route_is_not_shown(
    launch_older: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch_older()
    assert service.client.get("/mounted/no/such/path").status_code == 404
    service.stop()
    assert [span["name"] for span in otlp_receiver.spans] == ["GET /mounted/{path}"]
    (point,) = otlp_receiver.latest_points("http.server.request.duration")
    assert (point["count"], point["attributes"]["http.route"]) == (1, "/mounted/{path}")


def test_the_sizes_are_those_of_the_bytes_and_counted_once(
    launch_older: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch_older()
    service.client.post("/echo", json={"a": "b"})
    service.stop()
    for metric in ("http.server.request.body.size", "http.server.response.body.size"):
        (point,) = otlp_receiver.latest_points(metric)
        assert (metric, point["count"], point["sum"]) == (metric, 1, 9)


def test_hosts_make_no_series(launch_older: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch_older()
    for number in range(50):
        service.client.get("/items/1", headers={"host": f"host-{number}.example"})
    service.stop()
    assert [p["count"] for p in otlp_receiver.latest_points("http.server.request.duration")] == [50]


def test_a_route_of_an_included_router_is_shown_in_full(
    launch_older: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch_older()
    service.client.post("/included/echo", json={"a": "b"})
    service.stop()
    assert [span["name"] for span in otlp_receiver.spans] == ["POST /included/echo"]
    for metric in ("http.server.request.duration", "http.server.request.body.size"):
        routes = [point["attributes"]["http.route"] for point in otlp_receiver.latest_points(metric)]
        assert (metric, routes) == (metric, ["/included/echo"])
