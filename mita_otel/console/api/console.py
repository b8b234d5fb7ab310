"""Our own API (`/api/console/...`), which the page asks."""

import sqlite3
import time
from collections.abc import Sequence
from typing import Any, Final

from mita_otel.console.api import bearing, objectives, telemetry_json
from mita_otel.console.api import parameters as p
from mita_otel.console.api.endpoints import Endpoint, NotFoundError, asking
from mita_otel.console.api.limits import Limits
from mita_otel.console.api.parameters import Parameter, ParameterError, Values
from mita_otel.console.api.searching import BUDGET, check_order, stretch_of
from mita_otel.console.api.spans_json import Json, trace_json
from mita_otel.console.reading import instruments, logs, metrics, services
from mita_otel.console.reading.budget import Budget
from mita_otel.console.reading.critical_path import critical_path
from mita_otel.console.reading.status import status_of
from mita_otel.console.reading.summaries import Summary, summary_of
from mita_otel.console.reading.trace import Exemplar, exemplars_of, trace_of
from mita_otel.console.reading.traces import TraceQuery, find_traces
from mita_otel.console.reading.walk import HIGHEST_ID, searched_to
from mita_otel.installed import version

_HOUR: Final = 3_600_000_000
_SECOND: Final = 1_000_000
_MOST: Final = 1_000
"""Traces or log records of an answer."""
_USUAL_STEPS: Final = 120
_SUMMING_UP: Final = 0.02
"""Seconds for summing up the traces that a step of a search found."""


def complaint(status: int, message: str) -> Json:
    """Return the content of an error's answer."""
    return {"errors": [{"code": status, "msg": message}]}


def _traces(connection: sqlite3.Connection, values: Values) -> Json:
    check_order(values["minDuration"], values["maxDuration"], ("minDuration", "maxDuration"))
    query = TraceQuery(
        service=values["service"],
        operation=values["operation"],
        conditions=values["tags"],
        shortest=values["minDuration"] or 0,
        longest=values["maxDuration"],
        failed=values["errors"],
        stretch=stretch_of(values["start"], values["end"]),
    )
    found = find_traces(connection, query, limit=values["limit"], budget=Budget(BUDGET), before=values["before"])
    summing_up = Budget(_SUMMING_UP)
    summaries: list[Summary] = []
    next_, reached = found.next, found.searched_to
    for trace, span in found.traces.items():
        if summaries and summing_up.is_spent:
            next_, reached = span + 1, searched_to(connection, "spans", "start", span + 1)
            break
        summary = summary_of(connection, trace)
        if summary:
            summaries.append(summary)
    summaries.sort(key=lambda summary: -summary.start)
    return {"traces": list(map(telemetry_json.summary_json, summaries)), **_going_on(next_, reached)}


def _going_on(next_: int | None, searched_to: int | None) -> Json:
    return {"next": None if next_ is None else str(next_), "searched_to": searched_to or 0}


def _trace(connection: sqlite3.Connection, values: Values) -> Json:
    found = trace_of(connection, values["trace"])
    if found is None:
        raise NotFoundError(f"trace {values['trace'].hex()} is not here: not received, or older than what is kept")
    return {
        "trace": trace_json(found),
        "critical_path": [
            {"spanID": section.id.hex(), "start": section.start, "end": section.end}
            for section in critical_path(span.node for span in found.spans)
        ],
        "duplicates": found.duplicates,
        "missing_parents": [parent.hex() for parent in found.missing_parents],
        "exemplars": list(map(_exemplar_json, exemplars_of(connection, values["trace"]))),
    }


def _exemplar_json(exemplar: Exemplar) -> Json:
    return {
        "instrument": exemplar.instrument,
        "service": exemplar.service,
        "attributes": instruments.read_attributes(exemplar.attributes),
        "time": exemplar.time,
        "value": exemplar.value,
        "spanID": exemplar.span.hex(),
    }


def _logs(connection: sqlite3.Connection, values: Values) -> Json:
    if values["text"] and not any(logs.words_sought(values["text"])):
        raise ParameterError(
            "text", values["text"], "words of at least 2 letters, digits or underscores, or tim* for beginnings"
        )
    query = logs.LogQuery(
        text=values["text"],
        severity=values["severity"],
        service=values["service"],
        trace=values["trace_id"],
        span=values["span_id"],
        conditions=values["attributes"],
        stretch=stretch_of(values["start"], values["end"]),
    )
    found = logs.find_records(
        connection,
        query,
        limit=values["limit"],
        budget=Budget(BUDGET),
        before=values["before"],
        after=values["after"],
    )
    return {"records": telemetry_json.records_json(found), **_going_on(found.next, found.searched_to)}


def _instruments(connection: sqlite3.Connection, _values: Values) -> Json:
    return {"instruments": list(map(telemetry_json.instrument_json, instruments.instruments(connection)))}


def _metric(connection: sqlite3.Connection, values: Values) -> Json:
    found = metrics.metric_of(connection, metric_query_of(values, time.time_ns() // 1000))
    if found is None:
        raise NotFoundError(f"no metric {values['name']} is here, or none with this service, kind and unit")
    return telemetry_json.metric_json(found)


def metric_query_of(values: Values, now: int) -> metrics.MetricQuery:
    """Return what is asked of a metric; `now` in microseconds since the epoch.

    Raises:
        ParameterError: two parameters contradict each other, or there would be too many points.
    """
    end = values["end"] if values["end"] is not None else now
    start = values["start"] if values["start"] is not None else max(end - _HOUR, 0)
    check_order(start, end, ("start", "end"))
    step = values["step"] or max(-(-(end - start) // _USUAL_STEPS), _SECOND)
    if (end - start) // step >= metrics.BUCKETS_LIMIT:
        least = (end - start) // metrics.BUCKETS_LIMIT + 1
        raise ParameterError("step", str(step), f"at least {least} microseconds for this start and end")
    return metrics.MetricQuery(
        name=values["name"],
        start=start,
        end=end,
        step=step,
        service=values["service"],
        kind=values["kind"],
        unit=values["unit"],
        conditions=values["filter"],
        group_by=values["group_by"],
        quantiles=values["quantiles"],
    )


def _window(values: Values) -> services.Window:
    return services.Window.until(time.time_ns() // 1000, values["window"] * _SECOND)


def _all_services(connection: sqlite3.Connection, values: Values) -> Json:
    window = _window(values)
    found = services.services_of(connection, window)
    return {"services": [telemetry_json.service_json(name, calls, window.seconds) for name, calls in found.items()]}


def _service(connection: sqlite3.Connection, values: Values) -> Json:
    window = _window(values)
    routes, left_out = services.routes_of(connection, values["name"], window)
    timeline = services.timeline_of(connection, values["name"], window)
    return {
        "routes": [telemetry_json.route_json(route, window.seconds) for route in routes],
        "timeline": [telemetry_json.minute_json(minute * services.MINUTE, calls) for minute, calls in timeline.items()],
        "left_out": left_out,
    }


def _map(connection: sqlite3.Connection, values: Values) -> Json:
    return telemetry_json.map_json(services.map_of(connection, _window(values)))


def _status(limits: Limits, started: int) -> Any:
    about = {"version": version("mita-otel"), "started": started, "max_size": limits.size, "max_age": limits.age}

    def status(connection: sqlite3.Connection, _values: Values) -> Json:
        found = status_of(connection)
        return {
            **about,
            "spans": found.spans,
            "records": found.records,
            "points": found.points,
            "size": found.size,
            "oldest": found.oldest,
            "counters": found.counters,
            "notice": "development console",
        }

    return status


def _cursor(name: str, default: int) -> Parameter:
    return p.integer(name, 0, HIGHEST_ID, default=default)


_TIMES: Final = (p.moment("start"), p.moment("end"))
_LIMIT: Final = p.integer("limit", 1, _MOST, default=200)
_BEFORE: Final = _cursor("before", HIGHEST_ID)
_SERVICE: Final = p.text("service")
_NAME: Final = p.text("name")
_WINDOW: Final = p.window("window")
_KINDS: Final = ("sum", "gauge", "histogram", "exponential_histogram", "summary")

_OF_TRACES: Final = (
    _SERVICE,
    p.text("operation"),
    p.attributes("tags"),
    p.duration("minDuration"),
    p.duration("maxDuration", is_upper=True),
    p.flag("errors"),
    *_TIMES,
    _LIMIT,
    _BEFORE,
)
_OF_LOGS: Final = (
    p.text("text", longest=1_000),
    p.integer("severity", 0, 24, default=0),
    _SERVICE,
    p.identifier("trace_id", 32),
    p.identifier("span_id", 16),
    p.attributes("attributes"),
    *_TIMES,
    _LIMIT,
    _BEFORE,
    _cursor("after", -1),
)
_OF_METRIC: Final = (
    _NAME,
    _SERVICE,
    *_TIMES,
    p.integer("step", _SECOND, 7 * 24 * _HOUR, of_what=" of microseconds"),
    p.text("group_by"),
    p.attributes("filter"),
    p.shares("quantiles", (0.5, 0.95, 0.99)),
    p.choice("kind", *_KINDS),
    p.text("unit", default=None),
)


def endpoints(limits: Limits, started: int) -> Sequence[Endpoint]:
    """Return the endpoints of a console that started then, in microseconds since the epoch."""
    declared = (
        ("status", "what is stored", _status(limits, started), ()),
        ("traces", "traces that match, step by step", _traces, _OF_TRACES),
        ("traces/{trace}", "one trace with its critical path", _trace, (p.identifier("trace", 32),)),
        ("logs", "log records that match, step by step", _logs, _OF_LOGS),
        ("metrics", "instruments", _instruments, ()),
        ("metrics/{name:path}", "one metric over time", _metric, _OF_METRIC),
        ("services", "rates, errors and latencies of services", _all_services, (_WINDOW,)),
        ("services/{name:path}", "a service by operation and by minute", _service, (_NAME, _WINDOW)),
        ("map", "who calls whom", _map, (_WINDOW,)),
        *bearing.DECLARED,
        *objectives.DECLARED,
    )
    return tuple(
        Endpoint(f"/api/console/{path}", summary, asking(query), parameters, complaint, is_strict=True)
        for path, summary, query, parameters in declared
    )
