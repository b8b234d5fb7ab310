"""Jaeger's first query API (`/api/...`), which its own page and many tools speak."""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from mita_otel.console.api import parameters as p
from mita_otel.console.api.endpoints import Endpoint, NotFoundError, asking, to_json
from mita_otel.console.api.parameters import Parameter, ParameterError, Values
from mita_otel.console.api.searching import PATIENCE, check_order, read_traces, search_all, stretch_of
from mita_otel.console.api.spans_json import Json, trace_json
from mita_otel.console.reading import services
from mita_otel.console.reading.clauses import KINDS
from mita_otel.console.reading.reader import Reader
from mita_otel.console.reading.trace import trace_of
from mita_otel.console.reading.traces import TraceQuery

MOST_TRACES: Final = 1_500
"""As many as Jaeger's page asks for at most."""

_DAY: Final = 86_400_000_000
_LOOKBACK: Final = 2 * _DAY
"""How far back a search goes that does not say; as in Jaeger."""
_NOT_FOUND: Final = "trace not found"
_SERVICE: Final = p.text("service")


def answer_json(data: Any, *, total: int = 0, errors: Sequence[Json] | None = None) -> Json:
    """Return the frame that all answers have."""
    return {"data": data, "total": total, "limit": 0, "offset": 0, "errors": errors or None}


def complaint(status: int, message: str) -> Json:
    """Return the content of an error's answer."""
    return answer_json(None, errors=[{"code": status, "msg": message}])


def _services(connection: sqlite3.Connection, _values: Values) -> Json:
    names = services.service_names(connection)
    return answer_json(names, total=len(names))


def _operation_names(connection: sqlite3.Connection, values: Values) -> Json:
    names = sorted({name for name, _ in services.operations_of(connection, values["service"])})
    return answer_json(names, total=len(names))


def _operations(connection: sqlite3.Connection, values: Values) -> Json:
    found = operations_json(connection, values["service"], values["spanKind"])
    return answer_json(found, total=len(found))


def operations_json(connection: sqlite3.Connection, service: str, kind: str) -> list[Json]:
    """Return a service's operations, of one span kind or, if that is empty, of all."""
    return [
        {"name": name, "spanKind": "" if own_kind == KINDS[0] else own_kind}
        for name, own_kind in services.operations_of(connection, service)
        if kind in {"", own_kind}
    ]


def query_of(values: Values, now: int) -> TraceQuery:
    """Return what a search asks for; `now` in microseconds since the epoch.

    Raises:
        ParameterError: two parameters contradict each other.
    """
    end = values["end"] if values["end"] is not None else now
    start = values["start"] if values["start"] is not None else end - (values["lookback"] or _LOOKBACK)
    check_order(values["minDuration"], values["maxDuration"], ("minDuration", "maxDuration"))
    conditions = {each.key: each for each in (*values["tag"], *(each for tags in values["tags"] for each in tags))}
    return TraceQuery(
        service=values["service"],
        operation=values["operation"],
        conditions=tuple(conditions.values()),
        shortest=values["minDuration"] or 0,
        longest=values["maxDuration"] or None,  # 0 is no limit, as in Jaeger
        stretch=stretch_of(start, end),
    )


async def _search(reader: Reader, values: Values) -> bytes:
    if values["traceID"]:
        return await reader.ask(lambda connection: to_json(_by_ids(connection, values["traceID"])))
    if not values["service"]:
        raise ParameterError("service", "", "this parameter is required")
    query = query_of(values, time.time_ns() // 1000)
    found = await search_all(reader, query, values["limit"])
    late = {"msg": f"the search was ended after {PATIENCE:.0f} s; there may be more traces: narrow it down"}

    def answer(connection: sqlite3.Connection) -> bytes:
        read = list(read_traces(connection, found.traces))
        errors = [*_left_out(len(found.traces) - len(read)), *([] if found.is_complete else [late])]
        return to_json(answer_json([trace_json(trace) for _, trace in read if trace], errors=errors))

    return await reader.ask(answer)


def _left_out(count: int) -> Iterator[Json]:
    if count:
        yield {"msg": f"{count:,} further traces were found and left out of this large answer: narrow the search down"}


def _by_ids(connection: sqlite3.Connection, ids: Sequence[bytes]) -> Json:
    read = list(read_traces(connection, ids))
    missing = [{"msg": _NOT_FOUND, "traceID": id_.hex()} for id_, trace in read if trace is None]
    traces = [trace_json(trace) for _, trace in read if trace]
    return answer_json(traces, errors=[*missing, *_left_out(len(ids) - len(read))])


def _trace(connection: sqlite3.Connection, values: Values) -> Json:
    found = trace_of(connection, values["trace"])
    if found is None:
        raise NotFoundError(_NOT_FOUND)
    return answer_json([trace_json(found)])


def _dependencies(connection: sqlite3.Connection, values: Values) -> Json:
    end = values["endTs"] * 1000 if values["endTs"] is not None else time.time_ns() // 1000
    window = services.Window((end - values["lookback"] * 1000) // services.MINUTE, end // services.MINUTE, 0)
    return answer_json(
        [
            {"parent": edge.caller, "child": edge.callee, "callCount": edge.calls}
            for edge in services.edges_of(connection, window)[0]
            if not services.is_peer(edge.callee) and values["service"] in {"", edge.caller, edge.callee}
        ]
    )


def _lookback() -> Parameter:
    window = p.window("lookback")

    def read(given: str) -> int | None:
        # Jaeger's page sends "custom" beside a start and an end of its own.
        return None if given == "custom" else int(window.read(given)) * 1_000_000

    return replace(window, read=read, default=None)


_SEARCH: Final = (
    _SERVICE,
    p.text("operation"),
    p.pair("tag"),
    p.attributes("tags", is_repeatable=True),
    p.duration("minDuration"),
    p.duration("maxDuration", is_upper=True),
    p.moment("start"),
    p.moment("end"),
    _lookback(),
    p.integer("limit", 1, MOST_TRACES, default=100),
    replace(p.identifier("traceID", 32), is_repeatable=True),
)
_OF_TIME: Final = (
    p.integer("endTs", 0, p.HIGHEST // 1000, of_what=" of milliseconds since the epoch"),
    p.integer("lookback", 0, p.HIGHEST // 1000, default=_DAY // 1000, of_what=" of milliseconds"),
)

ENDPOINTS: Final = (
    Endpoint("/api/services", "names of services", asking(_services), (), complaint),
    Endpoint(
        "/api/services/{service:path}/operations",
        "names of a service's operations",
        asking(_operation_names),
        (_SERVICE,),
        complaint,
    ),
    Endpoint(
        "/api/operations",
        "a service's operations and their span kinds",
        asking(_operations),
        (p.text("service", is_required=True), p.choice("spanKind", *KINDS)),
        complaint,
    ),
    Endpoint("/api/traces", "traces that match", _search, _SEARCH, complaint),
    Endpoint("/api/traces/{trace}", "one trace", asking(_trace), (p.identifier("trace", 32),), complaint),
    Endpoint("/api/dependencies", "calls between services", asking(_dependencies), (*_OF_TIME, _SERVICE), complaint),
)
