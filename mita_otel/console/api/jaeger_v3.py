"""Jaeger's third query API (`/api/v3/...`), which answers in OTLP."""

import sqlite3
from collections.abc import Iterable
from typing import Final

from mita_otel.console.api import parameters as p
from mita_otel.console.api.endpoints import Endpoint, NotFoundError, asking, to_json
from mita_otel.console.api.jaeger import MOST_TRACES, operations_json
from mita_otel.console.api.otlp_json import Json, resource_spans
from mita_otel.console.api.parameters import Values
from mita_otel.console.api.searching import check_order, read_traces, search_all, stretch_of
from mita_otel.console.reading import services
from mita_otel.console.reading.clauses import KINDS
from mita_otel.console.reading.reader import Reader
from mita_otel.console.reading.traces import TraceQuery

_TIMES: Final = ("query.start_time_min", "query.start_time_max")
_DURATIONS: Final = ("query.duration_min", "query.duration_max")


def complaint(status: int, message: str) -> Json:
    """Return the content of an error's answer."""
    return {"error": {"httpCode": status, "message": message}}


def _services(connection: sqlite3.Connection, _values: Values) -> Json:
    return {"services": services.service_names(connection)}


def _operations(connection: sqlite3.Connection, values: Values) -> Json:
    return {"operations": operations_json(connection, values["service"], values["span_kind"])}


def _trace(connection: sqlite3.Connection, values: Values) -> Json:
    return _traces(connection, [values["trace"]])


def _traces(connection: sqlite3.Connection, ids: Iterable[bytes]) -> Json:
    found = [trace for _, trace in read_traces(connection, ids) if trace]
    if not found:
        raise NotFoundError("No traces found")
    return {"result": {"resourceSpans": [each for trace in found for each in resource_spans(trace)]}}


def query_of(values: Values) -> TraceQuery:
    """Return what a search asks for.

    Raises:
        ParameterError: two parameters contradict each other.
    """
    shortest, longest = (values[name] for name in _DURATIONS)
    check_order(shortest, longest, _DURATIONS)
    return TraceQuery(
        service=values["query.service_name"],
        operation=values["query.operation_name"],
        conditions=values["query.attributes"],
        shortest=shortest or 0,
        longest=longest or None,
        stretch=stretch_of(values[_TIMES[0]], values[_TIMES[1]], _TIMES),
    )


async def _search(reader: Reader, values: Values) -> bytes:
    limit = values["query.search_depth"] or values["query.num_traces"]
    found = await search_all(reader, query_of(values), limit)
    return await reader.ask(lambda connection: to_json(_traces(connection, found.traces)))


_SEARCH: Final = (
    p.text("query.service_name"),
    p.text("query.operation_name"),
    p.attributes("query.attributes"),
    p.timestamp(_TIMES[0], is_required=True),
    p.timestamp(_TIMES[1], is_required=True),
    p.duration(_DURATIONS[0]),
    p.duration(_DURATIONS[1], is_upper=True),
    p.integer("query.search_depth", 1, MOST_TRACES),
    p.integer("query.num_traces", 1, MOST_TRACES, default=100),
)

ENDPOINTS: Final = (
    Endpoint("/api/v3/services", "names of services", asking(_services), (), complaint),
    Endpoint(
        "/api/v3/operations",
        "a service's operations and their span kinds",
        asking(_operations),
        (p.text("service"), p.choice("span_kind", *KINDS)),
        complaint,
    ),
    Endpoint("/api/v3/traces", "traces that match", _search, _SEARCH, complaint),
    Endpoint("/api/v3/traces/{trace}", "one trace", asking(_trace), (p.identifier("trace", 32),), complaint),
)
