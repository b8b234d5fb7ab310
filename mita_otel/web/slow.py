"""One line for a request that takes long: what it was, for whom, and where its trace is."""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from opentelemetry.trace import format_trace_id

from mita_otel.errors.performance import PERFORMANCE, PerformanceTracker, SlowRequest
from mita_otel.redaction import redact_path, redact_query
from mita_otel.traces import request as request_span
from mita_otel.web.exchange import Exchange, known_method

_ERRORS: Final = 500
_STREAM_OF_EVENTS: Final = b"text/event-stream"
_logger: Final = logging.getLogger("mita_otel.web.slow")


class SlowRequests:
    """Logs slow requests, in the stream performance.

    A request lasts until the last byte of its answer; what runs in the background after that does not count, and a
    stream of server-sent events, which lasts as long as somebody listens, is never slow. The level is WARNING, and
    ERROR where the request failed, as its span's status says.

    Args:
        limit: seconds above which a request is slow.
        trace_url: with `{trace_id}`, where a trace can be looked at; None for no link.
        clock: seconds of the exchange's times.
        tracker: remembers how long requests took.

    Attributes:
        limit: as given.
        passed: takes the seconds of a request that was not slow.
    """

    __slots__ = ("_clock", "_trace_url", "_tracker", "limit", "passed")

    def __init__(
        self,
        limit: float,
        trace_url: str | None = None,
        clock: Callable[[], float] = time.perf_counter,
        tracker: PerformanceTracker = PERFORMANCE,
    ) -> None:
        self._tracker = tracker
        self.limit: Final = limit
        self.passed: Final = tracker.ended
        self._trace_url = trace_url
        self._clock = clock

    def look(self, exchange: Exchange, failure: BaseException | None = None) -> None:
        """Log a request that has been served, if it was slow; another one costs a comparison.

        Args:
            exchange: the request.
            failure: what left the application.
        """
        seconds = (exchange.ended or self._clock()) - exchange.opened
        if seconds <= self.limit:
            self.passed(seconds)
            return
        if _is_stream_of_events(exchange):
            return
        self._remember(exchange, seconds)
        failed = exchange.status >= _ERRORS or isinstance(failure, Exception)
        _logger.log(
            logging.ERROR if failed else logging.WARNING,
            "slow request: %s %s took %.0f ms",
            known_method(exchange.scope) or "_OTHER",
            exchange.template() or redact_path(exchange.scope["path"]),
            seconds * 1000,
            extra=self._fields(exchange, seconds),
        )

    def _remember(self, exchange: Exchange, seconds: float) -> None:
        method, route = known_method(exchange.scope) or "_OTHER", exchange.template() or ""
        span = request_span.span_context()
        trace_id = format_trace_id(span.trace_id) if span.is_valid else ""
        self._tracker.ended(seconds)
        self._tracker.was_slow(SlowRequest(method, route, seconds, time.time(), trace_id))

    def _fields(self, exchange: Exchange, seconds: float) -> dict[str, Any]:
        scope = exchange.scope
        span = request_span.span_context()
        # A trace that was not sampled is nowhere to be looked at.
        link = self._trace_url if span.is_valid and span.trace_flags.sampled else None
        query = scope.get("query_string", b"").decode("latin-1")
        told = {
            "mita.log.stream": "performance",
            "duration_ms": round(seconds * 1000, 1),
            "http.request.method": known_method(scope) or "_OTHER",
            "http.route": exchange.template(),
            "url.path": redact_path(scope["path"]),
            "url.query": redact_query(query) if query else None,
            "http.response.status_code": exchange.status or None,
            "http.response.body.size": exchange.sent,
            "user.id": exchange.user,
            "trace.url": None if link is None else link.replace("{trace_id}", format_trace_id(span.trace_id)),
        }
        return {name: value for name, value in told.items() if value is not None}


def _is_stream_of_events(exchange: Exchange) -> bool:
    return any(name.lower() == b"content-type" and _STREAM_OF_EVENTS in value for name, value in exchange.answered)
