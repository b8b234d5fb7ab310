"""Jaeger's third query API, which answers in OTLP."""

from base64 import b64encode
from typing import Any

import pytest
from google.protobuf import json_format  # type: ignore[import-untyped] # no types are shipped
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.fixtures.console_file import AT, ConsoleFile, Sent, traces
from tests.integration.console.api.conftest import Ask

TRACE = f"{7:032x}"
EVER = {"query__start_time_min": "2000-01-01T00:00:00Z", "query__start_time_max": "2100-01-01T00:00:00.123456789+02:00"}
VALUES = {
    "s": "x",
    "b": False,
    "i": -5,
    "d": 0.5,
    "nan": float("nan"),
    "raw": b"\x01",
    "list": [1, "a"],
    "map": {"k": {"l": None}},
}


def found(answer: Any) -> set[int]:
    groups = answer["result"]["resourceSpans"]
    return {int(span["traceId"], 16) for group in groups for scope in group["scopeSpans"] for span in scope["spans"]}


def test_services_and_operations_are_listed(file: ConsoleFile, ask: Ask) -> None:
    file.send(traces("b", Sent("x"), Sent("y", kind=0)), traces("a", Sent("w")))
    assert ask("/api/v3/services") == {"services": ["a", "b"]}
    expected = [{"name": "x", "spanKind": "server"}, {"name": "y", "spanKind": ""}]
    assert ask("/api/v3/operations", service="b") == {"operations": expected}
    assert ask("/api/v3/operations", service="b", span_kind="server") == {"operations": expected[:1]}


def test_a_trace_is_the_otlp_that_was_sent(file: ConsoleFile, ask: Ask) -> None:
    request = traces(
        "shop",
        Sent(
            "GET /",
            trace=7,
            id=2,
            attributes=VALUES,
            events={"e": {"k": 1}},
            links=((9, 4),),
            failed=True,
            message="no",
        ),
    )
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.trace_state, span.flags, span.dropped_events_count = "k=v", 257, 0
    file.send(request)
    answer = ask(f"/api/v3/traces/{TRACE}")
    written = answer["result"]["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    assert (written["traceId"], written["spanId"]) == (TRACE, f"{2:016x}")
    assert written["startTimeUnixNano"] == str(AT * 1000)
    assert (written["kind"], written["status"]) == (2, {"code": 2, "message": "no"})
    assert _read(answer["result"]).resource_spans[0].SerializeToString(deterministic=True) == request.resource_spans[
        0
    ].SerializeToString(deterministic=True)


def _read(result: dict[str, Any]) -> TracesData:
    """Read OTLP's JSON: as protobuf's, but for ids, which are hexadecimal."""
    for group in result["resourceSpans"]:
        for scope in group["scopeSpans"]:
            for span in scope["spans"]:
                for part in (span, *span.get("links", ())):
                    for name in part.keys() & {"traceId", "spanId", "parentSpanId"}:
                        part[name] = _base64(part[name])
    found: TracesData = json_format.ParseDict(result, TracesData())
    return found


def _base64(digits: str) -> str:
    return b64encode(bytes.fromhex(digits)).decode()


def test_what_is_odd_about_a_span_is_an_attribute(file: ConsoleFile, ask: Ask) -> None:
    file.send(traces("a", Sent(trace=7, parent=5)))
    (group,) = ask(f"/api/v3/traces/{TRACE}")["result"]["resourceSpans"]
    (attribute,) = group["scopeSpans"][0]["spans"][0]["attributes"]
    assert attribute["key"] == "@jaeger@warnings"
    assert "has not been received" in attribute["value"]["arrayValue"]["values"][0]["stringValue"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"query__service_name": "shop"}, {1, 2}),
        ({"query__service_name": "shop", "query__operation_name": "POST /"}, {2}),
        ({"query__attributes": '{"k":"v"}'}, {1}),
        ({"query__duration_min": "20ms"}, {2}),
        ({"query__duration_max": "0.019s"}, {1}),
        ({"query__search_depth": "1"}, {2}),
        ({"query__num_traces": "1"}, {2}),
        ({}, {1, 2}),
    ],
)
def test_traces_are_searched(file: ConsoleFile, ask: Ask, query: dict[str, str], expected: set[int]) -> None:
    file.send(traces("shop", Sent("GET /", trace=1, attributes={"k": "v"}), Sent("POST /", trace=2, duration=20_000)))
    assert found(ask("/api/v3/traces", **EVER, **query)) == expected


def complaint(status: int, message: str) -> dict[str, Any]:
    return {"error": {"httpCode": status, "message": message}}


def test_a_search_without_times_is_refused(ask: Ask) -> None:
    answer = ask("/api/v3/traces", status=400)
    assert answer["error"]["message"].startswith("query.start_time_min=: this parameter is required")


@pytest.mark.parametrize("given", ["today", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"])
def test_a_time_must_be_by_rfc_3339(ask: Ask, given: str) -> None:
    answer = ask("/api/v3/traces", status=400, **{**EVER, "query__start_time_min": given})
    assert answer == complaint(400, f"query.start_time_min={given}: a time by RFC 3339, as 2026-01-31T23:59:59Z")


def test_nothing_found_is_not_found(ask: Ask) -> None:
    assert ask("/api/v3/traces", status=404, **EVER) == complaint(404, "No traces found")
    assert ask("/api/v3/traces/1", status=404) == complaint(404, "No traces found")
    assert ask("/api/v3/traces/x", status=400) == complaint(400, "trace=x: 1 to 32 hexadecimal digits")
