"""N+1: statements that one request runs over and over, where one query could have asked for all."""

from typing import Final

from opentelemetry.metrics import MeterProvider

from mita_otel.metrics.catalogue.database import N_PLUS_ONE
from mita_otel.metrics.recording import Total
from mita_otel.traces.request import Served

EVENT: Final = "mita.n_plus_one"
EVENTS_AT_MOST: Final = 10
"""Events on the span of one request; every statement is counted."""


class RepeatedStatements:
    """Looks at what ran for a request, once, as its answer begins.

    By then the request has asked for what it needs: what runs later is a stream that goes on, or work in the
    background. How often each statement ran is told as it is then, and not as the limit was reached.

    Args:
        provider: makes the counter.
        limit: executions of one statement, 2 and above; the parameters may differ.
    """

    __slots__ = ("_limit", "_total")

    def __init__(self, provider: MeterProvider, limit: int) -> None:
        self._limit = limit
        self._total = Total(N_PLUS_ONE, provider.get_meter("mita_otel.web.repeated"))

    def look(self, served: Served, route: str | None) -> None:
        """Count what was repeated, mark it on the request's span, and let no one count any more.

        Args:
            served: the request; a second look finds nothing.
            route: its template, if it has one.
        """
        statements, served.statements = served.statements, None
        span, served.span = served.span, None
        if not statements:
            return
        # A copy in one step, as threads of the request may still count.
        repeated = [(count, text) for text, count in statements.copy().items() if count >= self._limit]
        if not repeated:
            return
        attributes = {} if route is None else {"http.route": route}
        self._total.add(len(repeated), **attributes)
        if span is not None:
            for count, text in sorted(repeated, reverse=True)[:EVENTS_AT_MOST]:
                span.add_event(EVENT, {"db.query.text": text, "mita.n_plus_one.executions": count})
