"""Jaeger's first query API, shape by shape."""

import json
import time
from typing import Any

import pytest

from mita_otel.console.api import searching
from mita_otel.console.store.blocks import BLOCK_SIZE
from tests.fixtures.console_file import AT, ConsoleFile, Sent, pairs, traces
from tests.integration.console.api.conftest import OBJECT, Ask

TRACE = f"{7:032x}"


def frame(data: Any, total: int = 0) -> dict[str, Any]:
    return {"data": data, "total": total, "limit": 0, "offset": 0, "errors": None}


def complaint(status: int, message: str) -> dict[str, Any]:
    return frame(None) | {"errors": [{"code": status, "msg": message}]}


def found(answer: Any) -> list[int]:
    return [int(trace["traceID"], 16) for trace in answer["data"]]


def test_an_empty_console_has_nothing(ask: Ask) -> None:
    assert ask("/api/services") == frame([])
    assert ask("/api/services/a/operations") == frame([])
    assert ask("/api/operations", service="a") == frame([])
    assert ask("/api/traces", service="a") == frame([])
    assert ask("/api/dependencies") == frame([])


def test_services_and_operations_are_listed(file: ConsoleFile, ask: Ask) -> None:
    file.send(traces("b/c", Sent("y"), Sent("x"), Sent("x", kind=3), Sent("z", kind=0)), traces("a", Sent("w")))
    assert ask("/api/services") == frame(["a", "b/c"], 2)
    assert ask("/api/services/b%2Fc/operations") == frame(["x", "y", "z"], 3)
    assert ask("/api/operations", service="b/c") == frame(
        [
            {"name": "x", "spanKind": "client"},
            {"name": "x", "spanKind": "server"},
            {"name": "y", "spanKind": "server"},
            {"name": "z", "spanKind": ""},
        ],
        4,
    )
    assert ask("/api/operations", service="b/c", spanKind="client")["total"] == 1


def test_a_trace_is_written_as_jaeger_does(file: ConsoleFile, ask: Ask) -> None:
    request = traces(
        "shop",
        Sent(
            "GET /",
            trace=7,
            id=2,
            parent=1,
            start=5,
            duration=1500,
            kind=3,
            failed=True,
            message="it broke",
            attributes={
                "text": "x",
                "flag": True,
                "count": 3,
                "share": 0.5,
                "raw": b"\x01\x02",
                "list": [1, "a"],
                "big": 2**60,
                "odd": float("nan"),
            },
            events={"exception": {"type": "E", "attempt": 2}},
            links=((7, 1), (9, 4)),
        ),
        resource={"host.name": "h"},
    )
    request.resource_spans[0].scope_spans[0].scope.version = "1.0"
    request.resource_spans[0].scope_spans[0].spans[0].trace_state = "k=v"
    file.send(request)
    (trace,) = ask(f"/api/traces/{TRACE}")["data"]
    assert trace["processes"] == {
        "p1": {"serviceName": "shop", "tags": [{"key": "host.name", "type": "string", "value": "h"}]}
    }
    (span,) = trace["spans"]
    tags = {tag["key"]: (tag["type"], tag["value"]) for tag in span.pop("tags")}
    assert tags == {
        "big": ("int64", str(2**60)),
        "count": ("int64", 3),
        "error": ("bool", True),
        "flag": ("bool", True),
        "list": ("string", '[1,"a"]'),
        "odd": ("float64", "nan"),
        "otel.scope.name": ("string", "tests"),
        "otel.scope.version": ("string", "1.0"),
        "otel.status_code": ("string", "ERROR"),
        "otel.status_description": ("string", "it broke"),
        "raw": ("binary", "AQI="),
        "share": ("float64", 0.5),
        "span.kind": ("string", "client"),
        "text": ("string", "x"),
        "w3c.tracestate": ("string", "k=v"),
    }
    assert span == {
        "traceID": TRACE,
        "spanID": f"{2:016x}",
        "operationName": "GET /",
        "references": [
            {"refType": "FOLLOWS_FROM", "traceID": TRACE, "spanID": f"{1:016x}"},
            {"refType": "FOLLOWS_FROM", "traceID": f"{9:032x}", "spanID": f"{4:016x}"},
        ],
        "startTime": AT + 5,
        "duration": 1500,
        "logs": [
            {
                "timestamp": AT + 5,
                "fields": [
                    {"key": "event", "type": "string", "value": "exception"},
                    {"key": "attempt", "type": "int64", "value": 2},
                    {"key": "type", "type": "string", "value": "E"},
                ],
            }
        ],
        "processID": "p1",
        "warnings": [f"its parent {1:016x} has not been received"],
    }


def test_a_trace_is_found_by_an_id_without_leading_zeros(file: ConsoleFile, ask: Ask) -> None:
    file.send(traces("a", Sent(trace=7)))
    assert found(ask("/api/traces/7")) == [7]


def test_a_trace_that_is_not_there_is_not_found(ask: Ask) -> None:
    assert ask("/api/traces/abc", status=404) == complaint(404, "trace not found")


def test_traces_are_asked_for_by_their_ids(file: ConsoleFile, ask: Ask) -> None:
    file.send(traces("a", Sent(trace=7), Sent(trace=8)))
    answer = ask("/api/traces", traceID=["8", "9", "7"])
    assert found(answer) == [8, 7]
    assert answer["errors"] == [{"msg": "trace not found", "traceID": f"{9:032x}"}]


@pytest.fixture
def shop(file: ConsoleFile) -> ConsoleFile:
    """Three traces of two services, now."""
    start = time.time_ns() // 1000 - AT - 60_000_000
    file.send(
        traces(
            "shop",
            Sent("GET /", trace=1, start=start, attributes={"user": "u:1", "size": 5}),
            Sent("GET /", trace=2, start=start + 10, duration=50_000, failed=True),
            Sent("POST /", trace=3, start=start + 20, attributes={"user": "u:1"}),
        ),
        traces("bank", Sent("charge", trace=3, id=2, parent=1, start=start + 25)),
    )
    return file


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 2, 1]),
        ({"operation": "GET /"}, [2, 1]),
        ({"minDuration": "50ms"}, [2]),
        ({"maxDuration": "49.9ms"}, [3, 1]),
        ({"minDuration": "1ms", "maxDuration": "1000us"}, [3, 1]),
        ({"tags": '{"error":"true"}'}, [2]),
        ({"tags": '{"user":"u:1"}'}, [3, 1]),
        ({"tag": "user:u:1"}, [3, 1]),
        ({"tag": ["user:u:1", "size:5"]}, [1]),
        ({"tags": '{"size":5}', "tag": "user:u:1"}, [1]),
        ({"limit": "1"}, [3]),
        ({"lookback": "1h"}, [3, 2, 1]),
        ({"lookback": "custom"}, [3, 2, 1]),
        ({"start": "0", "end": "1000000"}, []),
        ({"service": "bank"}, [3]),
        ({"service": "nobody"}, []),
        ({"unknown": "parameter"}, [3, 2, 1]),
    ],
)
def test_traces_are_searched(shop: ConsoleFile, ask: Ask, query: dict[str, Any], expected: list[int]) -> None:
    assert found(ask("/api/traces", **{"service": "shop", **query})) == expected


def test_what_a_search_does_not_say_is_the_last_two_days(file: ConsoleFile, ask: Ask) -> None:
    file.send(traces("a", Sent(start=time.time_ns() // 1000 - AT - 3 * 86_400_000_000)))
    assert found(ask("/api/traces", service="a")) == []
    assert found(ask("/api/traces", service="a", lookback="7d")) == [1]


def test_a_search_goes_on_to_the_end(file: ConsoleFile, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "BUDGET", 0.0)
    start = time.time_ns() // 1000 - AT - 60_000_000
    file.send(traces("a", Sent("first", trace=1, start=start, attributes={"k": 1})))
    file.send(*(traces("a", *(Sent(trace=2, start=start),) * BLOCK_SIZE) for _ in range(3)))
    assert found(ask("/api/traces", service="a", tags='{"k":"1"}')) == [1]
    assert found(ask("/api/traces", service="a")) == [2, 1]


def test_a_search_that_takes_too_long_says_that_it_was_ended(
    shop: ConsoleFile, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "PATIENCE", 0.0)
    answer = ask("/api/traces", service="shop")
    assert answer["data"] == []
    assert "was ended after" in answer["errors"][0]["msg"]


def test_an_answer_that_would_be_too_large_says_what_it_leaves_out(
    shop: ConsoleFile, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SPANS_LIMIT", 3)
    answer = ask("/api/traces", service="shop")
    assert found(answer) == [3, 2]
    left_out = "1 further traces were found and left out of this large answer: narrow the search down"
    assert answer["errors"] == [{"msg": left_out}]
    assert found(ask("/api/traces", traceID=["3", "2", "1"])) == [3, 2]


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        ("/api/traces", {}, "service=: this parameter is required"),
        ("/api/operations", {}, "service=: this parameter is required: at most 4,096 characters"),
        (
            "/api/operations",
            {"service": "a", "spanKind": "x"},
            "spanKind=x: one of unspecified, internal, server, client, producer, consumer",
        ),
        ("/api/traces", {"service": "a", "limit": "0"}, "limit=0: a whole number from 1 to 1500"),
        ("/api/traces", {"service": "a", "limit": "many"}, "limit=many: a whole number from 1 to 1500"),
        (
            "/api/traces",
            {"service": "a", "minDuration": "5"},
            "minDuration=5: a duration such as 250us, 100ms, 1.5s or 2m",
        ),
        (
            "/api/traces",
            {"service": "a", "minDuration": "2s", "maxDuration": "1s"},
            "maxDuration=1000000: at least minDuration, which is 2000000 microseconds",
        ),
        ("/api/traces", {"service": "a", "start": "5", "end": "4"}, "end=4: at least start, which is 5 microseconds"),
        ("/api/traces", {"service": "a", "tag": "k"}, "tag=k: key:value"),
        ("/api/traces", {"service": "a", "tags": "[1]"}, "tags=[1]: " + OBJECT),
        ("/api/traces/xyz", {}, "trace=xyz: 1 to 32 hexadecimal digits"),
        (
            "/api/dependencies",
            {"endTs": "x"},
            f"endTs=x: a whole number of milliseconds since the epoch from 0 to {2**63 // 1000}",
        ),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_allowed(
    ask: Ask, path: str, query: dict[str, str], message: str
) -> None:
    assert ask(path, status=400, **query) == complaint(400, message)


def test_what_is_not_there_is_not_found(ask: Ask) -> None:
    assert ask("/api/nothing", status=404)["errors"][0]["code"] == 404


def test_calls_between_services_are_told(file: ConsoleFile, ask: Ask) -> None:
    start = time.time_ns() // 1000 - AT
    file.send(
        traces("shop", Sent(id=1, start=start), Sent(id=3, start=start, kind=3, attributes={"db.system.name": "pg"})),
        traces("bank", Sent(id=2, parent=1, start=start)),
    )
    assert ask("/api/dependencies") == frame([{"parent": "shop", "child": "bank", "callCount": 1}])
    assert ask("/api/dependencies", service="other") == frame([])
    assert ask("/api/dependencies", endTs="1000", lookback="1000") == frame([])


def test_an_attribute_may_have_any_name(file: ConsoleFile, ask: Ask) -> None:
    request = traces("a", Sent(start=time.time_ns() // 1000 - AT))
    request.resource_spans[0].scope_spans[0].spans[0].attributes.extend(pairs({"ключ:\x00": "значение"}))
    file.send(request)
    assert found(ask("/api/traces", service="a", tags=json.dumps({"ключ:\x00": "значение"}))) == [1]
