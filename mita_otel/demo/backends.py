"""Where the demonstration's telemetry goes, and how it is found again: the console, or the real backends."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from mita_otel.demo import web
from mita_otel.stack.model import Endpoints

SERVICE: Final = "mita-finance"
DURATION: Final = "http.server.request.duration"
_PROMETHEUS_DURATION: Final = "http_server_request_duration_seconds"
_MANY: Final = 1500
"""Traces counted at most: Jaeger answers no more at once."""


@dataclass(frozen=True, slots=True)
class Found:
    """What is stored of one request, and whether the metrics lead back to traces.

    Attributes:
        spans: Of its trace.
        log_lines: That carry its trace id.
        exemplars: Of the request duration, whose trace is stored.
    """

    spans: int
    log_lines: int
    exemplars: int

    @property
    def linked(self) -> bool:
        """Whether all three signals are there and name the same traces."""
        return all(asdict(self).values())


@dataclass(frozen=True, slots=True)
class Totals:
    """What has arrived of the service: traces, log records, and series of metrics."""

    traces: int
    logs: int
    metrics: int


class Backends(Protocol):
    """Takes OTLP, and answers questions about what arrived; a question without an answer counts nothing."""

    @property
    def otlp(self) -> str:
        """The base URL for OTLP over HTTP."""

    @property
    def places(self) -> Mapping[str, str]:
        """URLs to open, by what they show."""

    def queries(self, trace_id: str) -> Mapping[str, str]:
        """Return the URL that finds a trace, its log lines, and the metric that counts its request."""

    def found(self, trace_id: str) -> Found:
        """Return what is stored of the request of a trace."""

    def totals(self) -> Totals:
        """Return what is stored of the service."""


@dataclass(frozen=True, slots=True)
class ConsoleBackends:
    """The console: one process for everything.

    Attributes:
        console: Its base URL.
        otlp: Its base URL for OTLP over HTTP.
    """

    console: str
    otlp: str

    @property
    def places(self) -> Mapping[str, str]:
        """URLs to open, by what they show."""
        return {"console": self.console, "objectives": f"{self.console}/#/slo"}

    def page_of(self, trace_id: str) -> str:
        """Return the page that shows a trace."""
        return f"{self.console}/#/traces/{trace_id}"

    def queries(self, trace_id: str) -> Mapping[str, str]:
        """Return the URL that finds a trace, its log lines, and the metric that counts its request."""
        return {
            "trace": f"{self.console}/api/traces/{trace_id}",
            "logs": f"{self.console}/api/console/logs?trace_id={trace_id}",
            "metric": f"{self.console}/api/console/metrics/{DURATION}?service={SERVICE}",
        }

    def found(self, trace_id: str) -> Found:
        """Return what is stored of the request of a trace."""
        urls = self.queries(trace_id)
        exemplars = _list(web.get(urls["metric"]), "exemplars")
        return Found(
            spans=_spans(self.console, trace_id),
            log_lines=len(_list(web.get(urls["logs"]), "records")),
            exemplars=_stored(self.console, [str(exemplar["trace_id"]) for exemplar in exemplars]),
        )

    def totals(self) -> Totals:
        """Return what is stored of the service."""
        status = web.get(f"{self.console}/api/console/status") or {}
        instruments = _list(web.get(f"{self.console}/api/console/metrics"), "instruments")
        return Totals(
            traces=_traces(self.console),
            logs=int(status.get("records", 0)),
            metrics=sum(int(instrument["series"]) for instrument in instruments),
        )


@dataclass(frozen=True, slots=True)
class StackBackends:
    """The Collector and its backends.

    Attributes:
        endpoints: Of a stack that is up.
    """

    endpoints: Endpoints

    @property
    def otlp(self) -> str:
        """The base URL for OTLP over HTTP."""
        return self.endpoints.otlp_http

    @property
    def places(self) -> Mapping[str, str]:
        """URLs to open, by what they show."""
        return {"jaeger": self.endpoints.jaeger, "prometheus": self.endpoints.prometheus, "loki": self.endpoints.loki}

    def queries(self, trace_id: str) -> Mapping[str, str]:
        """Return the URL that finds a trace, its log lines, and the metric that counts its request."""
        lines = quote(f'{{service_name="{SERVICE}"}} | trace_id="{trace_id}"')
        metric = quote(f'{_PROMETHEUS_DURATION}_count{{service_name="{SERVICE}"}}')
        return {
            "trace": f"{self.endpoints.jaeger}/api/traces/{trace_id}",
            "logs": f"{self.endpoints.loki}/loki/api/v1/query_range?query={lines}",
            "metric": f"{self.endpoints.prometheus}/api/v1/query?query={metric}",
        }

    def found(self, trace_id: str) -> Found:
        """Return what is stored of the request of a trace."""
        streams = _result(web.get(self.queries(trace_id)["logs"]))
        return Found(
            spans=_spans(self.endpoints.jaeger, trace_id),
            log_lines=sum(len(stream["values"]) for stream in streams),
            exemplars=_stored(self.endpoints.jaeger, self._exemplars()),
        )

    def totals(self) -> Totals:
        """Return what is stored of the service."""
        logs = urlencode({"query": f'sum(count_over_time({{service_name="{SERVICE}"}}[1h]))'})
        series = urlencode({"query": f'count({{service_name="{SERVICE}"}})'})
        return Totals(
            traces=_traces(self.endpoints.jaeger),
            logs=_number(web.get(f"{self.endpoints.loki}/loki/api/v1/query?{logs}")),
            metrics=_number(web.get(f"{self.endpoints.prometheus}/api/v1/query?{series}")),
        )

    def _exemplars(self) -> list[str]:
        query = f'{_PROMETHEUS_DURATION}_bucket{{service_name="{SERVICE}"}}'
        answer = web.get(f"{self.endpoints.prometheus}/api/v1/query_exemplars?{urlencode({'query': query})}")
        return [
            str(exemplar["labels"].get("trace_id", ""))
            for series in _list(answer, "data")
            for exemplar in series["exemplars"]
        ]


def _spans(jaeger: str, trace_id: str) -> int:
    return sum(len(trace["spans"]) for trace in _list(web.get(f"{jaeger}/api/traces/{trace_id}"), "data"))


def _traces(jaeger: str) -> int:
    asked = urlencode({"service": SERVICE, "limit": _MANY, "lookback": "1h"})
    return len(_list(web.get(f"{jaeger}/api/traces?{asked}"), "data"))


def _stored(jaeger: str, trace_ids: list[str]) -> int:
    """Return how many of the newest traces that exemplars name are stored: three are enough to know."""
    return sum(_spans(jaeger, trace_id) > 0 for trace_id in trace_ids[-3:])


def _list(answer: Any, name: str) -> list[Any]:
    return list((answer or {}).get(name) or [])


def _result(answer: Any) -> list[Any]:
    return _list((answer or {}).get("data"), "result")


def _number(answer: Any) -> int:
    return sum(int(float(series["value"][1])) for series in _result(answer))
