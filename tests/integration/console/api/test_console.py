"""Our own API, shape by shape."""

import time
from importlib.metadata import version
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from tests.fixtures.console_file import AT, SECOND, ConsoleFile, Line, Sent, id_of, logs, metrics, pairs, traces
from tests.integration.console.api.conftest import OBJECT, STARTED, Ask

NOW = time.time_ns() // 1000 - AT

"""Now, counted from AT."""
TRACE = f"{7:032x}"
HEX = "{:016x}".format
MOMENT = f"a whole number of microseconds since the epoch from 0 to {2**63 - 1}"


@pytest.fixture(autouse=True)
def now(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be now when a test runs: minutes may have passed since its module was read."""
    monkeypatch.setattr(request.module, "NOW", time.time_ns() // 1000 - AT)


def complaint(status: int, message: str) -> dict[str, Any]:
    return {"errors": [{"code": status, "msg": message}]}


def test_an_empty_console_has_nothing(ask: Ask) -> None:
    assert ask("/api/console/traces") == {"traces": [], "next": None, "searched_to": 0}
    assert ask("/api/console/logs") == {"records": [], "next": None, "searched_to": 0}
    assert ask("/api/console/metrics") == {"instruments": []}
    assert ask("/api/console/services") == {"services": []}
    assert ask("/api/console/services/nobody") == {"routes": [], "timeline": [], "left_out": 0}
    assert ask("/api/console/map") == {"nodes": [], "edges": [], "left_out": 0}
    kinds = ("breakers", "limits", "backends", "retries", "timeouts", "features", "flags")
    assert ask("/api/console/resilience") == {"heard": {}} | {kind: [] for kind in kinds}
    assert ask("/api/console/health") == {"services": []}
    assert ask("/api/console/errors")["groups"] == []


def test_the_status_says_what_is_stored_and_what_may_be(file: ConsoleFile, ask: Ask) -> None:
    before = time.time_ns() // 1000
    file.send(traces("a", Sent(), Sent(id=2)), logs("a", Line()))
    status = ask("/api/console/status")
    assert before <= status.pop("oldest") <= time.time_ns() // 1000
    assert status.pop("size") > 0
    assert status == {
        "version": version("mita-otel"),
        "started": STARTED,
        "max_size": 2**30,
        "max_age": 86_400,
        "spans": 2,
        "records": 1,
        "points": 0,
        "counters": {"records.received": 1, "spans.received": 2},
        "notice": "development console",
    }


def test_traces_are_summed_up(file: ConsoleFile, ask: Ask) -> None:
    file.send(
        traces("shop", Sent("GET /", trace=7, duration=500), Sent("q", trace=7, id=2, parent=1, kind=3, duration=1)),
        traces("bank", Sent("charge", trace=7, id=3, parent=1, failed=True, duration=1)),
    )
    assert ask("/api/console/traces") == {
        "traces": [
            {
                "traceID": TRACE,
                "service": "shop",
                "operation": "GET /",
                "start": AT,
                "duration": 500,
                "spans": 3,
                "errors": 1,
                "services": [{"name": "shop", "spans": 2}, {"name": "bank", "spans": 1}],
            }
        ],
        "next": None,
        "searched_to": AT,
    }


def found(answer: Any) -> list[int]:
    return [int(trace["traceID"], 16) for trace in answer["traces"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"service": "shop"}, [2, 1]),
        ({"service": "shop", "operation": "GET /"}, [1]),
        ({"tags": '{"user":"u"}'}, [1]),
        ({"tags": '{"size":5,"user":"u"}'}, [1]),
        ({"minDuration": "2ms"}, [2]),
        ({"maxDuration": "0"}, []),
        ({"errors": "true"}, [2]),
        ({"errors": "false"}, [2, 1]),
        ({"start": str(AT + 10)}, [2]),
        ({"end": str(AT + 9)}, [1]),
        ({"service": ""}, [2, 1]),
    ],
)
def test_traces_are_searched(file: ConsoleFile, ask: Ask, query: dict[str, str], expected: list[int]) -> None:
    file.send(
        traces(
            "shop",
            Sent("GET /", trace=1, attributes={"user": "u", "size": 5}),
            Sent("POST /", trace=2, start=10, duration=3000, failed=True),
        )
    )
    assert found(ask("/api/console/traces", **query)) == expected


def test_a_search_goes_on_from_its_cursor(file: ConsoleFile, ask: Ask) -> None:
    file.send(traces("a", *(Sent(trace=number, start=number) for number in range(1, 6))))
    first = ask("/api/console/traces", limit=2)
    assert (found(first), first["searched_to"]) == ([5, 4], AT + 4)
    second = ask("/api/console/traces", limit=2, before=first["next"])
    assert (found(second), second["searched_to"]) == ([3, 2], AT + 2)
    assert found(ask("/api/console/traces", limit=2, before=second["next"])) == [1]


def test_summing_up_stops_in_time_and_the_search_goes_on_from_there(
    file: ConsoleFile, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mita_otel.console.api.console._SUMMING_UP", 0.0)
    file.send(traces("a", *(Sent(trace=number) for number in range(1, 4))))
    seen, before = [], None
    while True:
        answer = ask("/api/console/traces", **({"before": before} if before else {}))
        seen += found(answer)
        before = answer["next"]
        if before is None:
            break
    assert seen == [3, 2, 1]


def test_a_trace_comes_with_its_critical_path_and_what_is_odd(file: ConsoleFile, ask: Ask) -> None:
    file.send(
        traces(
            "shop",
            Sent("GET /", trace=7, duration=100),
            Sent("inner", trace=7, id=2, parent=1, start=20, duration=50),
            Sent("lost", trace=7, id=3, parent=9, start=30, duration=1),
        ),
        traces("shop", Sent("inner", trace=7, id=2, parent=1, start=20, duration=50)),
    )
    metric = Metric(name="wait", unit="s")
    point = metric.gauge.data_points.add(time_unix_nano=AT * 1000, as_double=1, attributes=pairs({"code": 200}))
    point.exemplars.add(time_unix_nano=AT * 1000, as_double=0.5, trace_id=id_of(7, 16), span_id=id_of(2))
    file.send(metrics("shop", metric))
    answer = ask("/api/console/traces/7")
    assert [span["operationName"] for span in answer["trace"]["spans"]] == ["GET /", "inner", "lost"]
    assert [bool(span["warnings"]) for span in answer["trace"]["spans"]] == [False, True, True]
    assert answer["critical_path"] == [
        {"spanID": HEX(1), "start": AT, "end": AT + 20},
        {"spanID": HEX(2), "start": AT + 20, "end": AT + 70},
        {"spanID": HEX(1), "start": AT + 70, "end": AT + 100},
    ]
    assert (answer["duplicates"], answer["missing_parents"]) == (1, [HEX(9)])
    expected = {"instrument": "wait", "service": "shop", "attributes": {"code": "200"}, "time": AT, "value": 0.5}
    assert answer["exemplars"] == [{**expected, "spanID": HEX(2)}]


def test_a_trace_that_is_not_there_is_not_found(ask: Ask) -> None:
    message = f"trace {TRACE} is not here: not received, or older than what is kept"
    assert ask(f"/api/console/traces/{TRACE}", status=404) == complaint(404, message)


def test_log_records_are_written_whole(file: ConsoleFile, ask: Ask) -> None:
    line = Line(
        {"deep": [1, b"\x01", float("inf")]}, 5, severity=17, trace=7, span=2, attributes={"n": 1, "raw": b"\xff"}
    )
    request = logs("shop", line, scope="lib")
    record = request.resource_logs[0].scope_logs[0].log_records[0]
    record.severity_text, record.event_name = "ERROR", "paid"
    file.send(request)
    assert ask("/api/console/logs") == {
        "records": [
            {
                "id": 1,
                "time": AT + 5,
                "severity": 17,
                "severity_text": "ERROR",
                "service": "shop",
                "scope": "lib",
                "body": {"deep": [1, "AQ==", "inf"]},
                "trace_id": TRACE,
                "span_id": HEX(2),
                "attributes": {"n": 1, "raw": "/w==", "event.name": "paid"},
                "resource": {"service.name": "shop"},
            }
        ],
        "next": None,
        "searched_to": AT + 5,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 2, 1]),
        ({"text": "hello"}, [2, 1]),
        ({"text": "wor*"}, [1]),
        ({"severity": "17"}, [3]),
        ({"service": "b"}, [3]),
        ({"trace_id": TRACE}, [2]),
        ({"trace_id": "7", "span_id": "2"}, [2]),
        ({"span_id": "3"}, []),
        ({"attributes": '{"user":3}'}, [2]),
        ({"start": str(AT + 1), "end": str(AT + 1)}, [2]),
        ({"after": "1"}, [3, 2]),
        ({"before": "3"}, [2, 1]),
        ({"limit": "1"}, [3]),
    ],
)
def test_log_records_are_searched(file: ConsoleFile, ask: Ask, query: dict[str, str], expected: list[int]) -> None:
    file.send(
        logs("a", Line("hello world"), Line("hello moon", 1, trace=7, span=2, attributes={"user": 3})),
        logs("b", Line("bye", 2, severity=17)),
    )
    assert [record["id"] for record in ask("/api/console/logs", **query)["records"]] == expected


def counter(points: list[tuple[int, float]], **attributes: Any) -> Metric:
    metric = Metric(name="calls/made", unit="{call}", description="calls")
    metric.sum.is_monotonic, metric.sum.aggregation_temporality = True, 2  # type: ignore[assignment]
    for second, value in points:
        time_ = (AT + second * SECOND) * 1000
        metric.sum.data_points.add(
            time_unix_nano=time_, start_time_unix_nano=1, as_double=value, attributes=pairs(attributes)
        )
    return metric


def test_instruments_are_listed(file: ConsoleFile, ask: Ask) -> None:
    file.send(metrics("a", counter([(0, 0)], code=200), counter([(0, 0)], code=500)))
    assert ask("/api/console/metrics") == {
        "instruments": [
            {
                "name": "calls/made",
                "unit": "{call}",
                "description": "calls",
                "kind": "sum",
                "monotonic": True,
                "services": ["a"],
                "series": 2,
                "attributes": {"code": ["200", "500"]},
            }
        ]
    }


def test_a_metric_is_shown_over_time(file: ConsoleFile, ask: Ask) -> None:
    sent = counter([(0, 0), (20, 40)], code=200)
    sent.sum.data_points[1].exemplars.add(
        time_unix_nano=AT * 1000, as_double=2, trace_id=id_of(7, 16), span_id=id_of(2)
    )
    file.send(metrics("a", sent, counter([(0, 0), (20, 20)], code=500)))
    query = {"start": AT, "end": AT + 20 * SECOND, "step": 10 * SECOND}
    points = [[AT + 10 * SECOND, 2.0], [AT + 20 * SECOND, 2.0]]
    assert ask("/api/console/metrics/calls%2Fmade", **query, group_by="code", filter='{"code":200}') == {
        "name": "calls/made",
        "unit": "{call}",
        "kind": "sum",
        "monotonic": True,
        "series": [{"labels": {"code": "200"}, "points": points}],
        "exemplars": [{"time": AT, "value": 2.0, "trace_id": TRACE, "span_id": HEX(2), "labels": {"code": "200"}}],
        "left_out": 0,
        "series_left_out": 0,
    }


def test_a_metric_is_shown_for_the_last_hour_in_some_hundred_points(file: ConsoleFile, ask: Ask) -> None:
    file.send(metrics("a", counter([(NOW // SECOND, 0)])))
    (series,) = ask("/api/console/metrics/calls/made")["series"]
    points = series["points"]
    assert 120 <= len(points) <= 122
    assert points[1][0] - points[0][0] == 30 * SECOND
    assert abs(points[-1][0] - (AT + NOW)) < 60 * SECOND


def test_a_metric_that_is_not_there_is_not_found(ask: Ask) -> None:
    assert ask("/api/console/metrics/nothing", status=404)["errors"][0]["code"] == 404


def test_services_are_shown_with_rates_errors_and_latencies(file: ConsoleFile, ask: Ask) -> None:
    file.send(
        traces("a/b", Sent("GET /", start=NOW), Sent("GET /", start=NOW, failed=True), Sent("q", start=NOW, kind=3))
    )
    (service,) = ask("/api/console/services")["services"]
    assert service["name"] == "a/b"
    assert 2 / 960 <= service["rate"] <= 2 / 900
    assert service["error_rate"] == 0.5
    assert 900 < service["p50"] <= service["p95"] <= service["p99"] < 1200
    answer = ask("/api/console/services/a%2Fb", window="1h")
    (route, query) = answer["routes"]
    assert {key: route[key] for key in ("operation", "kind", "calls", "errors", "error_rate")} == {
        "operation": "GET /",
        "kind": "server",
        "calls": 2,
        "errors": 1,
        "error_rate": 0.5,
    }
    assert query["kind"] == "client"
    (minute,) = answer["timeline"]
    assert minute["minute"] == (AT + NOW) // 60_000_000 * 60_000_000
    assert (minute["calls"], minute["errors"]) == (2, 1)
    assert minute["p50"] is not None


def test_the_map_has_nodes_and_edges(file: ConsoleFile, ask: Ask) -> None:
    attributes = {"db.system.name": "postgresql"}
    file.send(traces("a", Sent(start=NOW), Sent(id=2, parent=1, start=NOW, kind=3, attributes=attributes, failed=True)))
    assert ask("/api/console/map", window="5m") == {
        "nodes": [
            {"name": "a", "kind": "service", "calls": 1, "errors": 0},
            {"name": "postgresql", "kind": "database", "calls": 1, "errors": 1},
        ],
        "edges": [{"caller": "a", "callee": "postgresql", "calls": 1, "errors": 1}],
        "left_out": 0,
    }


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        ("traces", {"limit": "1001"}, "limit=1001: a whole number from 1 to 1000"),
        ("traces", {"errors": "yes"}, "errors=yes: true or false"),
        ("traces", {"tags": "{"}, "tags={: " + OBJECT),
        ("traces", {"tags": '{"a":{}}'}, 'tags={"a":{}}: ' + OBJECT),
        ("traces", {"before": "-1"}, f"before=-1: a whole number from 0 to {2**63 - 1}"),
        ("traces", {"start": str(2**63)}, f"start={2**63}: {MOMENT}"),
        ("map", {"colour": "red"}, "colour=red: no such parameter; there are window"),
        ("status", {"x": "1"}, "x=1: no such parameter; there are none"),
        ("logs", {"severity": "25"}, "severity=25: a whole number from 0 to 24"),
        ("logs", {"text": "!"}, "text=!: words of at least 2 letters, digits or underscores, or tim* for beginnings"),
        ("logs", {"trace_id": "g"}, "trace_id=g: 1 to 32 hexadecimal digits"),
        ("logs", {"text": "x" * 1001}, f"text={'x' * 200}…: at most 1,000 characters"),
        ("metrics/m", {"step": "1"}, f"step=1: a whole number of microseconds from 1000000 to {7 * 86_400_000_000}"),
        (
            "metrics/m",
            {"start": "0", "end": str(10**12), "step": str(10**6)},
            "step=1000000: at least 666666667 microseconds for this start and end",
        ),
        ("metrics/m", {"quantiles": "0.5,2"}, "quantiles=0.5,2: at most 10 numbers from 0 to 1, separated by commas"),
        ("metrics/m", {"kind": "pie"}, "kind=pie: one of sum, gauge, histogram, exponential_histogram, summary"),
        ("services", {"window": "8d"}, "window=8d: a time such as 15m, 6h or 7d, 7 days at most"),
        ("map", {"window": "long"}, "window=long: a time such as 15m, 6h or 7d, 7 days at most"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_allowed(
    ask: Ask, path: str, query: dict[str, str], message: str
) -> None:
    assert ask(f"/api/console/{path}", status=400, **query) == complaint(400, message)


def test_too_many_parameters_are_refused(ask: Ask) -> None:
    message = ask("/api/console/status?" + "&".join(f"p{number}" for number in range(300)), status=400)["errors"][0][
        "msg"
    ]
    assert message.endswith(": at most 200 parameters")


def test_a_file_that_cannot_be_read_is_told(file: ConsoleFile, ask: Ask) -> None:
    file.store.connection.execute("DROP TABLE minutes")
    answer = ask("/api/console/services", status=503)
    assert answer == complaint(503, "the console's file cannot be read: no such table: minutes")
