"""What happens when a query was slow."""

import logging
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextvars import copy_context
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.trace import Span

from mita_otel.libraries.slow.table import RANKED, TABLE, SlowQuery
from mita_otel.metrics.catalogue.database import SLOW_QUERIES, SLOW_QUERY_TIME
from mita_otel.metrics.recording import Total
from mita_otel.settings import Settings

if TYPE_CHECKING:
    from mita_otel.libraries.database import Call
    from mita_otel.libraries.slow.plan import Plans

EVENT: Final = "mita.slow_query"

LOG_INTERVAL: Final = 60.0
"""Seconds between two log records, and between two plans, of one statement."""

STATEMENTS_LOGGED: Final = 1000
"""Statements of which is known when they were logged; the one logged the longest ago makes room."""

METER: Final = "mita_otel.libraries.slow"

_logger: Final = logging.getLogger("mita_otel.database")
_observed: Final[WeakSet[MeterProvider]] = WeakSet()
"""Providers that know the ranking: the SDK drops the callbacks of an instrument that is made twice."""


class SlowQueries:
    """Counts, marks, ranks and logs the slow queries of one library.

    Args:
        settings: how slow is slow, and whether plans are wanted.
        provider: makes the instruments.
        clock: seconds that only grow.
    """

    __slots__ = ("_after", "_due", "_plans", "_total")

    def __init__(
        self, settings: Settings, provider: MeterProvider, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._after = settings.slow_query_seconds
        self._total = Total(SLOW_QUERIES, provider.get_meter(METER))
        self._plans = _plans() if settings.slow_query_plan else None
        self._due = _Due(clock)
        if provider not in _observed:
            _observed.add(provider)
            SLOW_QUERY_TIME.observe(provider.get_meter(METER), _ranking)

    def capture(self, call: "Call", seconds: float, span: Span, context: Context) -> None:
        """Tell everyone of a slow query.

        Args:
            call: an SQL statement.
            seconds: how long it took.
            span: its own, not ended yet.
            context: of the span, for the log record.
        """
        query = _named(call)
        operation = call.metric_attributes.get("db.operation.name")
        self._total.add(1, **({} if operation is None else {"db.operation.name": str(operation)}))
        if span.is_recording():
            threshold = {"mita.slow_query.threshold": self._after, "mita.slow_query.duration": seconds}
            span.add_event(EVENT, {"db.query.text": query.statement, **threshold})
        TABLE.add(query, seconds)
        if not self._due.now((query.pool, query.statement)):
            return
        told = copy_context()

        def log(plan: str | None = None, reason: str | None = None) -> None:
            if plan is not None:
                TABLE.explain(query, plan)
            told.run(_log, query, context, _extra(call, query, seconds, plan, reason))

        if self._plans is None or not self._plans.explain(call, log):
            log()


def _plans() -> "Plans":
    from mita_otel.libraries.slow.plan import PLANS  # noqa: PLC0415 - who wants no plans starts without

    return PLANS


def _named(call: "Call") -> SlowQuery:
    attributes = call.attributes
    return SlowQuery(
        statement=call.text or "",
        summary=str(attributes.get("db.query.summary") or attributes.get("db.operation.name") or "other"),
        pool=call.link.pool,
    )


def _extra(
    call: "Call", query: SlowQuery, seconds: float, plan: str | None, reason: str | None
) -> dict[str, str | int | float]:
    told = {"mita.slow_query.plan": plan, "mita.slow_query.no_plan": reason}
    return {
        **call.metric_attributes,
        "mita.log.stream": "performance",
        "db.query.summary": query.summary,
        "db.query.text": query.statement,
        "mita.slow_query.duration": round(seconds, 6),
        **{name: value for name, value in told.items() if value is not None},
    }


def _log(query: SlowQuery, context: Context, extra: dict[str, str | int | float]) -> None:
    token = otel_context.attach(context)
    try:
        seconds = extra["mita.slow_query.duration"]
        _logger.warning("slow query: %s took %.3f s", query.summary, seconds, extra=extra)
    finally:
        otel_context.detach(token)


def _ranking(_: CallbackOptions) -> Iterable[Observation]:
    worst = TABLE.by_summary().most_common(RANKED)
    return [Observation(seconds, {"db.query.summary": summary}) for summary, seconds in worst]


class _Due:
    """Says of each thing, once an interval, that it is due; two threads may both be told so at the same moment."""

    __slots__ = ("_clock", "_last")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: OrderedDict[object, float] = OrderedDict()

    def now(self, thing: object) -> bool:
        now, last = self._clock(), self._last
        before = last.get(thing)
        if before is not None and now - before < LOG_INTERVAL:
            return False
        last.pop(thing, None)
        last[thing] = now
        if len(last) > STATEMENTS_LOGGED:
            last.popitem(last=False)
        return True


os.register_at_fork(after_in_child=TABLE.after_fork)
