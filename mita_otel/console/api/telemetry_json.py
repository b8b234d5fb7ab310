"""Log records, metrics, services and the map as our own API writes them."""

from base64 import b64encode
from collections.abc import Mapping
from math import isfinite
from typing import Any

from mita_otel.console.reading.instruments import Instrument
from mita_otel.console.reading.logs import FoundRecords, Record
from mita_otel.console.reading.metrics import Metric
from mita_otel.console.reading.services import Calls, Route, ServiceMap
from mita_otel.console.reading.summaries import Summary
from mita_otel.console.store.values import attributes_of, value_of

Json = dict[str, Any]


def summary_json(summary: Summary) -> Json:
    """Return a trace in a line."""
    return {
        "traceID": summary.trace.hex(),
        "service": summary.service,
        "operation": summary.operation,
        "start": summary.start,
        "duration": summary.duration,
        "spans": summary.spans,
        "errors": summary.errors,
        "services": [{"name": name, "spans": spans} for name, spans in summary.services.items()],
    }


def records_json(found: FoundRecords) -> list[Json]:
    """Return log records."""
    resources = {number: plain(attributes) for number, attributes in found.resources.items()}
    return [_record_json(found, record, resources) for record in found.records]


def _record_json(found: FoundRecords, record: Record, resources: Mapping[int, Json]) -> Json:
    sent = record.record
    attributes = plain(attributes_of(sent.attributes))
    if sent.event_name:
        attributes.setdefault("event.name", sent.event_name)
    return {
        "id": record.id,
        "time": record.time,
        "severity": record.severity,
        "severity_text": sent.severity_text,
        "service": found.services[record.resource],
        "scope": found.scopes[record.scope],
        "body": plain(value_of(sent.body)) if record.is_whole else "(nested too deep to be shown)",
        "trace_id": sent.trace_id.hex() if any(sent.trace_id) else None,
        "span_id": sent.span_id.hex() if any(sent.span_id) else None,
        "attributes": attributes,
        "resource": resources[record.resource],
    }


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: bytes by base64, what is no number as text."""
    match value:
        case bytes():
            return b64encode(value).decode()
        case float():
            return value if isfinite(value) else str(value)
        case list():
            return [plain(inner) for inner in value]
        case dict():
            return {key: plain(inner) for key, inner in value.items()}
    return value


def instrument_json(instrument: Instrument) -> Json:
    """Return an instrument."""
    return {
        "name": instrument.name,
        "unit": instrument.unit,
        "description": instrument.description,
        "kind": instrument.kind,
        "monotonic": instrument.monotonic,
        "services": instrument.services,
        "series": instrument.series,
        "attributes": {key: sorted(values) for key, values in sorted(instrument.attributes.items())},
    }


def metric_json(metric: Metric) -> Json:
    """Return a metric over time."""
    about = metric.about
    return {
        "name": about.name,
        "unit": about.unit,
        "kind": about.kind,
        "monotonic": about.monotonic,
        "series": [
            {"labels": line.labels, "points": list(zip(metric.ends, line.values, strict=True))} for line in metric.lines
        ],
        "exemplars": [
            {
                "time": exemplar.time,
                "value": exemplar.value,
                "trace_id": exemplar.trace.hex(),
                "span_id": exemplar.span.hex(),
                "labels": exemplar.labels,
            }
            for exemplar in metric.exemplars
        ],
        "left_out": metric.groups_left_out,
        "series_left_out": metric.series_left_out,
    }


def _quantiles(calls: Calls) -> Json:
    return {"p50": calls.quantile(0.5), "p95": calls.quantile(0.95), "p99": calls.quantile(0.99)}


def _rates(calls: Calls, seconds: float) -> Json:
    share = calls.errors / calls.calls if calls.calls else 0.0
    return {"rate": calls.calls / seconds, "error_rate": share, **_quantiles(calls)}


def service_json(name: str, calls: Calls, seconds: float) -> Json:
    """Return what a service served in some seconds."""
    return {"name": name, **_rates(calls, seconds)}


def route_json(route: Route, seconds: float) -> Json:
    """Return what an operation did in some seconds."""
    calls = route.calls
    counts = {"calls": calls.calls, "errors": calls.errors}
    return {"operation": route.operation, "kind": route.kind, **counts, **_rates(calls, seconds)}


def minute_json(start: int, calls: Calls) -> Json:
    """Return what a service served in the minute that starts then."""
    return {"minute": start, "calls": calls.calls, "errors": calls.errors, **_quantiles(calls)}


def map_json(found: ServiceMap) -> Json:
    """Return who calls whom."""
    nodes = [{"name": n.name, "kind": n.kind, "calls": n.calls, "errors": n.errors} for n in found.nodes]
    edges = [{"caller": e.caller, "callee": e.callee, "calls": e.calls, "errors": e.errors} for e in found.edges]
    return {"nodes": nodes, "edges": edges, "left_out": found.left_out}
