"""Sends OTLP by plain HTTP, and asks the backends what they have."""

import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import yaml
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from mita_otel.stack import Endpoints

Request = ExportTraceServiceRequest | ExportLogsServiceRequest | ExportMetricsServiceRequest
Value = str | int | float | list[str]

BAD = "ZZZZZZZZ"
"""Becomes eight bytes that are no UTF-8 when a request is sent."""


def value(given: Value) -> AnyValue:
    match given:
        case int():
            return AnyValue(int_value=given)
        case float():
            return AnyValue(double_value=given)
        case list():
            holder = AnyValue()
            holder.array_value.values.extend([value(item) for item in given])
            return holder
        case _:
            return AnyValue(string_value=given)


def attributes(given: Mapping[str, Value]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value(item)) for key, item in given.items()]


def resource(service: str) -> Resource:
    return Resource(attributes=attributes({"service.name": service, "service.instance.id": os.urandom(8).hex()}))


@dataclass
class Span:
    name: str
    attributes: Mapping[str, Value]
    message: str = ""
    trace_id: bytes = b""


def trace_request(service: str, *spans: Span) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add(resource=resource(service)).scope_spans.add()
    for given in spans:
        span = group.spans.add(
            name=given.name, kind=2, trace_id=given.trace_id or os.urandom(16), span_id=os.urandom(8)
        )
        span.start_time_unix_nano = time.time_ns()
        span.end_time_unix_nano = span.start_time_unix_nano + 1_000_000
        span.attributes.extend(attributes(given.attributes))
        if given.message:
            span.status.code = 2
            span.status.message = given.message
    return request


def log_request(
    service: str, *lines: tuple[str, Mapping[str, Value]], trace_id: bytes = b""
) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add(resource=resource(service)).scope_logs.add()
    for number, (body, given) in enumerate(lines):
        record = group.log_records.add(time_unix_nano=time.time_ns() + number, severity_text="INFO", trace_id=trace_id)
        record.body.string_value = body
        record.attributes.extend(attributes(given))
    return request


def gauge_request(
    service: str, *points: tuple[str, Mapping[str, Value]], ages: Mapping[str, float] | None = None
) -> ExportMetricsServiceRequest:
    """Gauges of value 1; `ages` says which of them are how many seconds old."""
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add(resource=resource(service)).scope_metrics.add()
    for name, given in points:
        point = group.metrics.add(name=name).gauge.data_points.add(as_int=1)
        point.time_unix_nano = time.time_ns() - int((ages or {}).get(name, 0) * 1e9)
        point.attributes.extend(attributes(given))
    return request


def counter_request(service: str, name: str, total: int, trace_id: bytes) -> ExportMetricsServiceRequest:
    """A counter with an exemplar that points to a trace."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add(resource=resource(service)).scope_metrics.add().metrics.add(name=name)
    metric.sum.aggregation_temporality = 2
    metric.sum.is_monotonic = True
    now = time.time_ns()
    point = metric.sum.data_points.add(as_int=total, time_unix_nano=now, start_time_unix_nano=now - 10**9)
    point.exemplars.add(as_int=1, time_unix_nano=now, trace_id=trace_id, span_id=os.urandom(8))
    return request


_PATHS: dict[type[Request], str] = {
    ExportTraceServiceRequest: "traces",
    ExportLogsServiceRequest: "logs",
    ExportMetricsServiceRequest: "metrics",
}
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Backends:
    """What a test does with the stack."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    def send(self, request: Request) -> int:
        """Send a request to the collector; return the HTTP status."""
        body = request.SerializeToString().replace(BAD.encode(), b"\xff\xfe\xc3\x28\xa0\xa1\xf0\x28")
        message = urllib.request.Request(
            f"{self.endpoints.otlp_http}/v1/{_PATHS[type(request)]}",
            data=body,
            headers={"Content-Type": "application/x-protobuf"},
        )
        try:
            with _DIRECT.open(message, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def spans(self, service: str, **query: str) -> list[dict[str, Any]]:
        """Return a service's spans from Jaeger; tags as a dictionary."""
        given = urlencode({"service": service, "limit": "1500", **query})
        found = self._get(f"{self.endpoints.jaeger}/api/traces?{given}")["data"] or []
        spans = [span for trace in found for span in trace["spans"]]
        return [{**span, "tags": {tag["key"]: tag["value"] for tag in span["tags"]}} for span in spans]

    def logs(self, query: str) -> list[tuple[str, dict[str, str]]]:
        """Return the lines that a LogQL query finds in the last hour, with their labels and structured metadata."""
        given = urlencode({"query": query, "limit": "5000"})
        found = self._get(f"{self.endpoints.loki}/loki/api/v1/query_range?{given}")["data"]["result"]
        return [(line, stream["stream"]) for stream in found for _, line in stream["values"]]

    def loki_labels(self, service: str) -> set[str]:
        """Return the names of the index labels of a service's streams."""
        given = urlencode({"match[]": f'{{service_name="{service}"}}'})
        found = self._get(f"{self.endpoints.loki}/loki/api/v1/series?{given}")["data"]
        return {name for stream in found for name in stream}

    def loki_limits(self) -> dict[str, Any]:
        """Return the limits that Loki runs with, the times that it keeps logs among them."""
        with _DIRECT.open(f"{self.endpoints.loki}/config", timeout=10) as answer:
            limits: dict[str, Any] = yaml.safe_load(answer.read())["limits_config"]
        return limits

    def series(self, query: str) -> dict[str, float]:
        """Return the values of an instant query by the name of the metric."""
        found = self._get(f"{self.endpoints.prometheus}/api/v1/query?{urlencode({'query': query})}")["data"]["result"]
        return {row["metric"].get("__name__", ""): float(row["value"][1]) for row in found}

    def exemplar_traces(self, query: str) -> set[str]:
        """Return the trace ids of a metric's exemplars of the last hour."""
        now = time.time()
        given = urlencode({"query": query, "start": now - 3600, "end": now + 60})
        found = self._get(f"{self.endpoints.prometheus}/api/v1/query_exemplars?{given}")["data"]
        return {exemplar["labels"]["trace_id"] for row in found for exemplar in row["exemplars"]}

    def _get(self, url: str) -> Any:
        try:
            with _DIRECT.open(url, timeout=30) as answer:
                return json.loads(answer.read().decode(errors="replace"))
        except (OSError, ValueError):
            # Asked again until the test's deadline: a backend that has just started refuses, too.
            return {"data": {"result": []}} if "query" in url and "api/traces" not in url else {"data": []}
