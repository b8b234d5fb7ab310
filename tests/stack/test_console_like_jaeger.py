"""The console answers Jaeger's query APIs as Jaeger does: both are sent the same OTLP and asked the same.

Asked of Jaeger with its memory and with its Badger storage, which differ themselves. What differs on purpose, and is
either left out here or taken out of the answers before they are compared:

- the order of traces, spans, tags and process ids, and the wording of warnings and complaints;
- ids of traces of 64 bits, which Jaeger writes with 16 digits;
- of more traces than the limit, those received last, as with the memory; with Badger those that began last;
- empty lists, which Jaeger writes as null here and as [] there, and its `total`, which it counts or not;
- a limit of 0 or beyond 1,500, which Jaeger's memory answers with 500 and the console with 400;
- attributes that are lists or maps, which Jaeger writes as Go's JSON does (`<` escaped, bytes by base64);
- numbers that are none, at which Jaeger fails;
- senders without a service's name, which Jaeger calls `missing-service-name` and OpenTelemetry `unknown_service`;
- a span id that was sent twice with other content: Jaeger shows both, the console the one that came last;
- spans without duration, of which Jaeger makes one nanosecond;
- with the memory: `error=true`, which finds nothing there;
- `error=false`, which every storage of Jaeger's takes for something else, and attributes that only Jaeger's model has
  (`span.kind`, `otel.status_code`), which its memory does not find and Badger does;
- with Badger: what is asked for together, which several spans of a trace may be, and the third API, for Badger keeps
  traces in the model of the first one, and operations without their span kinds.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import yaml
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.fixtures.console_file import AT, Sent, pairs, traces
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import services

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

Ask = Callable[[str], Any]
START = time.time_ns() // 1000 - 1_800_000_000
"""When the traces begin, in microseconds since the epoch."""
TRACES = 0xABC << 100
"""What their ids begin with."""
COUNT = 60
SERVICES = ("shop", "bank", "depot")
VALUES: dict[str, tuple[Any, ...]] = {
    "text": ("x", "a b", "ключ", ""),
    "number": (1, 500, -3, 2**60),
    "flag": (True, False),
    "share": (0.25, 1.5, -2.5),
    "raw": (b"\x01\xff",),
}


def requests() -> list[ExportTraceServiceRequest]:
    """Make traces of every kind, one request each; each begins after the one before, and some are sent twice."""
    random = Random(4711)
    made = [_request(random, number) for number in range(1, COUNT + 1)]
    return [made[0], made[0], made[1], made[1], *made[2:]]  # a client that had no answer sends again


def _request(random: Random, trace: int) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    ids = [trace * 100 + place for place in range(random.randint(1, 8))]
    for place, own in enumerate(ids):
        start = START - AT + trace * 1_000_000 + place * 1000
        attributes = {key: random.choice(values) for key, values in VALUES.items() if random.random() < 0.4}
        sent = Sent(
            name=random.choice(("GET /", "POST /", "query")),
            trace=TRACES + trace,
            id=own,
            parent=random.choice(ids[:place]) if place else 0,
            start=start,
            duration=random.randint(1, 200) * 1000,
            kind=random.randint(0, 5),
            attributes={**attributes, "trace.number": trace},
            failed=random.random() < 0.2,
            message="it broke" if random.random() < 0.2 else "",
            events={"exception": {"exception.type": "E", "at": place}} if random.random() < 0.3 else {},
            links=((TRACES + trace, ids[0]), (TRACES + trace + 1, 7)) if random.random() < 0.2 else (),
        )
        service = random.choice(SERVICES)
        more = traces(service, sent, scope=random.choice(("lib", "")), resource={"host.name": f"{service}-host"})
        more.resource_spans[0].scope_spans[0].spans[0].trace_state = random.choice(("", "k=v"))
        more.resource_spans[0].scope_spans[0].scope.version = random.choice(("", "1.2"))
        request.resource_spans.extend(more.resource_spans)
    return request


@pytest.fixture(scope="module", params=["memory", "badger"])
def storage(request: pytest.FixtureRequest) -> str:
    """Where Jaeger keeps traces."""
    return str(request.param)


@pytest.fixture(scope="module")
def both(
    storage: str, binaries: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Ask, Ask]]:
    """Ask Jaeger and the console, which hold the same traces."""
    folder = tmp_path_factory.mktemp("alike")
    ports = [find_free_port() for _ in range(5)]
    jaeger, console = f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[3]}"
    config = folder / "jaeger.yaml"
    config.write_text(yaml.safe_dump(_jaeger(storage, folder, ports)))
    listening = ["--port", str(ports[3]), "--otlp-http-port", str(ports[3]), "--otlp-grpc-port", "none"]
    with services(folder) as start:
        start([str(binaries["jaeger"]), "--config", str(config)], {}, url=f"{jaeger}/api/services")
        start(["mita-otel", "console", *listening], {}, url=f"{console}/api/services")
        for request in requests():
            for address in (f"http://127.0.0.1:{ports[2]}", console):
                _send(address, request)
        eventually(lambda: _json(jaeger, f"/api/traces/{TRACES + COUNT:032x}")["data"])
        yield lambda path: _json(jaeger, path), lambda path: _json(console, path)


def _jaeger(storage: str, folder: Path, ports: list[int]) -> dict[str, Any]:
    """Return the configuration of a Jaeger alone."""
    badger = {"directories": {"keys": str(folder / "keys"), "values": str(folder / "values")}, "ephemeral": False}
    address = "127.0.0.1:{}".format
    return {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query"],
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
            "telemetry": {"logs": {"level": "warn"}, "metrics": {"level": "none"}},
        },
        "extensions": {
            "jaeger_query": {
                "storage": {"traces": "main"},
                "http": {"endpoint": address(ports[0])},
                "grpc": {"endpoint": address(ports[1])},
                "enable_tracing": False,
            },
            "jaeger_storage": {
                "backends": {"main": {"memory": {"max_traces": 10_000}} if storage == "memory" else {"badger": badger}}
            },
        },
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": address(ports[2])}}}},
        "exporters": {"jaeger_storage_exporter": {"trace_storage": "main"}},
    }


def _send(address: str, request: ExportTraceServiceRequest) -> None:
    headers = {"content-type": "application/x-protobuf"}
    answer = httpx.post(f"{address}/v1/traces", content=request.SerializeToString(), headers=headers, trust_env=False)
    assert answer.status_code == 200, answer.text


def _json(address: str, path: str) -> Any:
    answer = httpx.get(f"{address}{path}", timeout=30, trust_env=False)
    return {"status": answer.status_code, **answer.json()}


def _sorted(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def plain(trace: dict[str, Any]) -> dict[str, Any]:
    """Return a trace without what differs on purpose: each span with its process, everything sorted."""
    spans = []
    for span in trace["spans"]:
        process = trace["processes"][span["processID"]]
        kept = {name: value for name, value in span.items() if name not in {"processID", "warnings", "process"}}
        kept["tags"] = _sorted(span["tags"])
        kept["logs"] = [{**log, "fields": _sorted(log["fields"])} for log in span["logs"]]
        kept["process"] = {**process, "tags": _sorted(process["tags"])}
        spans.append(kept)
    return {"traceID": trace["traceID"], "spans": _sorted(spans)}


def listed(answer: dict[str, Any]) -> list[Any]:
    return _sorted(answer["data"] or [])


def found(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the traces of an answer by their ids."""
    assert answer["status"] == 200, answer
    return {trace["traceID"].zfill(32): plain(trace) for trace in answer["data"]}


def test_services_are_the_same(both: tuple[Ask, Ask]) -> None:
    theirs, ours = (ask("/api/services") for ask in both)
    assert listed(ours) == listed(theirs) == sorted(SERVICES)
    assert ours.keys() == theirs.keys()
    assert ours["total"] == theirs["total"]


@pytest.mark.parametrize("service", [*SERVICES, "nobody"])
def test_operations_are_the_same(both: tuple[Ask, Ask], storage: str, service: str) -> None:
    theirs, ours = (ask(f"/api/services/{service}/operations") for ask in both)
    assert listed(ours) == listed(theirs)
    if storage == "memory":
        theirs, ours = (ask(f"/api/operations?service={service}") for ask in both)
        assert listed(ours) == listed(theirs)
        theirs, ours = (ask(f"/api/operations?service={service}&spanKind=server") for ask in both)
        assert listed(ours) == listed(theirs)


@pytest.mark.parametrize("number", range(1, COUNT + 1))
def test_a_trace_is_the_same(both: tuple[Ask, Ask], number: int) -> None:
    theirs, ours = (ask(f"/api/traces/{TRACES + number:032x}") for ask in both)
    assert found(ours) == found(theirs)
    assert ours.keys() == theirs.keys()
    (one,), (other,) = ours["data"], theirs["data"]
    assert one.keys() == other.keys()
    assert one["spans"][0].keys() == other["spans"][0].keys()


SEARCHES = (
    "service=shop",
    "service=bank",
    "service=nobody",
    "service=shop&operation=GET%20/",
    "service=bank&operation=query",
    "service=shop&operation=nothing",
    "service=shop&tags={%22error%22:%22true%22}",
    "service=shop&tags={%22text%22:%22a%20b%22}",
    "service=bank&tags={%22text%22:%22%D0%BA%D0%BB%D1%8E%D1%87%22}",
    "service=shop&tags={%22text%22:%22%22}",
    "service=shop&tags={%22number%22:%22500%22}",
    "service=shop&tags={%22number%22:%22-3%22}",
    f"service=shop&tag=number:{2**60}",
    "service=depot&tag=flag:true",
    "service=depot&tag=flag:false",
    "service=shop&tag=share:0.25",
    "service=shop&tag=share:-2.5",
    "service=shop&tag=exception.type:E",
    "service=shop&tag=at:0",
    "service=bank&tag=host.name:bank-host",
    "service=bank&tag=host.name:shop-host",
    "service=shop&tag=absent:x",
    "service=shop&tag=trace.number:7",
    "service=shop&limit=1",
    "service=shop&limit=5",
    "service=bank&tag=flag:true&limit=3",
    f"service=shop&start={START + 20_000_000}&end={START + 40_000_000}",
    f"service=shop&start={START}&end={START + 30_000_000}&limit=2",
    "service=shop&start=1&end=2",
    f"service=shop&tag=error:true&start={START}",
    "service=shop&lookback=1h",
)
OF_ONE_SPAN = (
    "service=shop&operation=GET%20/&tag=flag:true&limit=1000",
    "service=shop&minDuration=150ms",
    "service=shop&maxDuration=20ms",
    "service=bank&minDuration=50ms&maxDuration=60ms",
    "service=shop&tag=flag:true&tag=text:x",
    'service=shop&tags={"flag":"true","number":"1"}&tag=text:x',
    "service=depot&operation=query&tag=flag:false&minDuration=0.1s",
)
"""What Badger does not ask of one span."""


def _without_times(search: str) -> str:
    """Name a search without the time of this run: every worker must see the same names."""
    return re.sub(r"\d{16}", "then", search)


@pytest.mark.parametrize("search", SEARCHES, ids=_without_times)
def test_a_search_finds_the_same(both: tuple[Ask, Ask], storage: str, search: str) -> None:
    if storage == "memory" and "error" in search:
        pytest.skip("Jaeger's memory takes the text of an error in a query for a truth value, and finds nothing")
    theirs, ours = (found(ask(f"/api/traces?{search}")) for ask in both)
    assert ours == theirs


@pytest.mark.parametrize("search", OF_ONE_SPAN)
def test_a_search_for_what_one_span_must_be_finds_the_same(both: tuple[Ask, Ask], storage: str, search: str) -> None:
    if storage == "badger":
        pytest.skip("Badger takes what several spans of a trace are together")
    theirs, ours = (found(ask(f"/api/traces?{search}")) for ask in both)
    assert ours == theirs


def test_the_searches_find_something(both: tuple[Ask, Ask]) -> None:
    _, ours = both
    counts = {search: len(found(ours(f"/api/traces?{search}"))) for search in (*SEARCHES, *OF_ONE_SPAN)}
    assert sum(count > 0 for count in counts.values()) > 30, counts


def test_traces_by_ids_are_the_same(both: tuple[Ask, Ask]) -> None:
    theirs, ours = (ask(f"/api/traces?traceID={TRACES + 3:x}&traceID=fff&traceID={TRACES + 5:x}") for ask in both)
    assert found(ours) == found(theirs)
    assert [error["msg"] for error in ours["errors"]] == [error["msg"] for error in theirs["errors"]]


@pytest.mark.parametrize(
    "path",
    [
        "/api/traces/abc",
        "/api/traces/xyz",
        f"/api/traces/{'1' * 33}",
        "/api/traces",
        "/api/traces?service=shop&limit=many",
        "/api/traces?service=shop&minDuration=5",
        "/api/traces?service=shop&minDuration=5s&maxDuration=1s",
        "/api/traces?service=shop&start=now",
        "/api/traces?service=shop&tag=k",
        "/api/traces?service=shop&tags=1",
        "/api/operations",
        "/api/dependencies?endTs=x",
        "/api/v3/traces",
        "/api/v3/traces/abc",
        "/api/v3/traces/xyz",
        "/api/v3/traces?query.start_time_min=x&query.start_time_max=y",
    ],
)
def test_what_is_wrong_or_not_there_is_told_in_the_same_shape(both: tuple[Ask, Ask], path: str) -> None:
    theirs, ours = (ask(path) for ask in both)
    assert ours["status"] == theirs["status"] != 200
    assert ours.keys() == theirs.keys()
    errors, others = (answer.get("errors") or [answer["error"]] for answer in (ours, theirs))
    assert [error.keys() for error in errors] == [error.keys() for error in others]


def otlp(answer: dict[str, Any]) -> list[Any]:
    """Return the spans of an answer of the third API, each with its resource and scope, empty fields left out."""
    assert answer["status"] == 200, answer
    return _sorted(
        _filled({"resource": group["resource"], "scope": scope["scope"], "span": span})
        for group in answer["result"]["resourceSpans"]
        for scope in group["scopeSpans"]
        for span in scope.get("spans", ())  # Jaeger leaves the scope of a span that was sent twice
    )


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        filled = {name: _filled(inner) for name, inner in value.items()}
        return {name: inner for name, inner in filled.items() if inner not in ("", 0, [], {}, None) or inner is False}
    if isinstance(value, list):
        items = [
            _filled(item) for item in value if not (isinstance(item, dict) and item.get("key") == "@jaeger@warnings")
        ]
        return _sorted(items)
    return value


@pytest.mark.parametrize("number", range(1, COUNT + 1, 7))
def test_a_trace_by_the_third_api_is_the_same(both: tuple[Ask, Ask], storage: str, number: int) -> None:
    if storage == "badger":
        pytest.skip("Badger keeps traces in the model of the first API")
    theirs, ours = (otlp(ask(f"/api/v3/traces/{TRACES + number:032x}")) for ask in both)
    assert ours == theirs


EVER = "query.start_time_min=2020-01-01T00:00:00Z&query.start_time_max=2100-01-01T00:00:00Z&query.num_traces=100"


@pytest.mark.parametrize(
    "search",
    [
        "query.service_name=shop",
        "query.service_name=shop&query.operation_name=query",
        "query.service_name=bank&query.duration_min=150ms",
        "query.service_name=bank&query.duration_max=0.02s",
    ],
)
def test_a_search_by_the_third_api_finds_the_same(both: tuple[Ask, Ask], storage: str, search: str) -> None:
    if storage == "badger":
        pytest.skip("as above")
    theirs, ours = (otlp(ask(f"/api/v3/traces?{search}&{EVER}")) for ask in both)
    assert ours == theirs


def test_services_and_operations_by_the_third_api_are_the_same(both: tuple[Ask, Ask], storage: str) -> None:
    theirs, ours = (ask("/api/v3/services") for ask in both)
    assert sorted(ours["services"]) == sorted(theirs["services"])
    if storage == "memory":
        theirs, ours = (ask("/api/v3/operations?service=shop") for ask in both)
        assert _filled(ours) == _filled(theirs)


def test_values_are_of_every_type() -> None:
    kinds = {
        pair.value.WhichOneof("value") for values in VALUES.values() for value in values for pair in pairs({"k": value})
    }
    assert kinds == {"string_value", "int_value", "bool_value", "double_value", "bytes_value"}
