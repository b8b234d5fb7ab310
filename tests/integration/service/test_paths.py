"""The same requests leave the same telemetry, whether spans are ours or the SDK's."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.integration.service.conftest import Launch

TRACE = "0af7651916cd43dd8448eb211c80319c"
OF_ONE_RUN = frozenset({"client.port", "correlation_id", "server.port", "network.peer.port", "url.full"})
"""Attributes that another run has other values of."""


def without(attributes: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in attributes.items() if key not in {*OF_ONE_RUN, *names}}


def summary(span: dict[str, Any]) -> Any:
    events = [
        (event["name"], sorted(without(event["attributes"], "exception.stacktrace").items()))
        for event in span["events"]
    ]
    parent = bool(span["parent_span_id"])
    inherited = span["trace_id"] == TRACE
    return span["name"], span["kind"], parent, inherited, sorted(without(span["attributes"]).items()), events


@pytest.fixture
def leave(launch: Launch, otlp_receiver: OtlpReceiver) -> Callable[..., Any]:
    """Serve some requests under the given variables; return what they left behind."""

    def run(**variables: str) -> Any:
        otlp_receiver.clear()
        service = launch(**variables)
        for path in ("/items/1", "/mounted/things/2", "/unknown", "/fails", "/stream"):
            httpx.get(f"{service.url}{path}", headers={"x-correlation-id": "fixed"})  # an error ends its connection
        for flags in ("01", "00"):
            service.client.get("/items/1", headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-{flags}"})
        service.stop()
        counted = [
            (
                point["attributes"]["otel.span.parent.origin"],
                point["attributes"]["otel.span.sampling_result"],
                point["value"],
            )
            for point in otlp_receiver.latest_points("otel.sdk.span.started")
        ]
        live = {point["value"] for point in otlp_receiver.latest_points("otel.sdk.span.live")}
        return sorted(map(summary, otlp_receiver.spans), key=str), sorted(counted), live

    return run


@pytest.mark.parametrize(
    "variables",
    [{}, {"OTEL_TRACES_SAMPLER": "parentbased_always_off"}, {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "4"}],
    ids=["all", "few", "cut"],
)
def test_both_paths_leave_the_same(leave: Callable[..., Any], variables: dict[str, str]) -> None:
    ours, stock = leave(**variables), leave(**variables, MITA_FAST_PATH="false")
    assert ours[0]
    assert ours == stock
