"""The door of the ledger: what spends a budget is written down, and told to Prometheus."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry import trace
from opentelemetry.metrics import Meter
from opentelemetry.trace import SpanContext

from mita_otel.guard import Guard
from mita_otel.slo.ledger import causes
from mita_otel.slo.ledger.book import Book, Past
from mita_otel.slo.ledger.causes import NONE, Cause
from mita_otel.slo.ledger.counter import SpentCounter
from mita_otel.traces import request

_GUARD: Final = Guard(logging.getLogger("mita_otel.slo"))


class Ledger:
    """Writes down why budgets are spent; never raises.

    Args:
        slos: ids of the objectives.
        clock: seconds since the epoch.

    Attributes:
        version: of the service.
    """

    __slots__ = ("_book", "_counter", "_is_ending", "_slos", "version")

    def __init__(self, slos: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self.version = NONE
        self._slos = tuple(slos)
        self._book = Book(clock)
        self._counter: SpentCounter | None = None
        self._is_ending = False

    def observe(self, meter: Meter, version: str) -> None:
        """Count for Prometheus from now on.

        Args:
            meter: makes the counter.
            version: of the service.
        """
        self._counter = SpentCounter(meter, self._slos)
        self.version = version

    def request(
        self, slos: tuple[int, ...], route: str, status: int, seconds: float, failure: BaseException | None
    ) -> None:
        """Write down a request that spent budgets.

        Args:
            slos: places of the objectives that it was bad for.
            route: the template; empty where none was found.
            status: of the answer.
            seconds: that it took.
            failure: what left the application.
        """
        try:
            cause = causes.of_request(route, status, seconds, failure, version=self.version)
            self._spend(slos, cause, request.span_context())
        except Exception:  # noqa: BLE001 - the room's door
            _GUARD.report("the budget ledger")

    def event(self, slos: tuple[int, ...], name: str) -> None:
        """Write down an event of a name that spent budgets, with what is known of the request under way."""
        try:
            now = trace.get_current_span().get_span_context()
            cause = causes.of_event(name, version=self.version)
            self._spend(slos, cause, now if now.is_valid else request.span_context())
        except Exception:  # noqa: BLE001 - the room's door
            _GUARD.report("the budget ledger")

    def since(self, moment: float) -> Past:
        """Return what was spent since a moment, in seconds since the epoch."""
        return self._book.since(moment)

    def collect(self) -> None:
        """Take note that metrics are about to be collected."""
        if self._counter is not None:
            self._counter.tell(self._book.totals(), is_last=self._is_ending)

    def close(self) -> None:
        """Take note that the next collection is the last: what is new is told without a zero before it."""
        self._is_ending = True

    def _spend(self, slos: tuple[int, ...], cause: Cause, span: SpanContext) -> None:
        # A trace that was not sampled is nowhere to be looked at.
        is_there = span.is_valid and span.trace_flags.sampled
        self._book.spend(slos, cause, span if is_there else None)
