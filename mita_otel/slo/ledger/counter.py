"""The ledger's counter: bad events by contributor, with the traces that they are in."""

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from weakref import ref

from opentelemetry.context import Context
from opentelemetry.metrics import Meter
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from mita_otel.metrics.bound import BoundCounter, counters
from mita_otel.metrics.catalogue.slo import SPENT
from mita_otel.slo.ledger.book import Example, Key, Spent

_NOWHERE: Final = Context()


class _Told(NamedTuple):
    """How many events of a series were told, and until when in seconds since the epoch."""

    bad: int
    at: float


class SpentCounter:
    """Counts for Prometheus, at each collection.

    To Prometheus a first value is no increase. Contributors are not known before they have contributed, so each series
    begins with a zero in one collection, and what happened until then follows in the next.

    Args:
        meter: makes the counter.
        slos: ids of the objectives.
    """

    __slots__ = ("__weakref__", "_handles", "_lock", "_slos", "_told")

    def __init__(self, meter: Meter, slos: Sequence[str]) -> None:
        self._handles = counters(SPENT.create(meter))
        self._slos = slos
        self._begin()
        held = ref(self)
        os.register_at_fork(after_in_child=lambda: _begin_anew(held()))

    def tell(self, totals: Mapping[Key, Spent], *, is_last: bool = False) -> None:
        """Count what came since the last time.

        Args:
            totals: all that was ever written down.
            is_last: whether there will be no second collection for what is new.
        """
        with self._lock:
            for key, (bad, examples) in totals.items():
                told = self._told.get(key)
                if told is None:
                    self._handle(key).add(0, _NOWHERE)
                    told = self._told[key] = _Told(0, 0.0)
                    if not is_last:
                        continue
                if bad > told.bad:
                    self._told[key] = self._add(key, bad, told, max(examples, key=_age, default=None))

    def _add(self, key: Key, bad: int, told: _Told, example: Example | None) -> _Told:
        handle, more = self._handle(key), bad - told.bad
        if example is None or example.at <= told.at:
            handle.add(more, _NOWHERE)
            return _Told(bad, told.at)
        handle.add(1, _around(example.span))
        if more > 1:
            handle.add(more - 1, _NOWHERE)
        return _Told(bad, example.at)

    def _handle(self, key: Key) -> BoundCounter:
        slo, dimension, contributor = key
        return self._handles.of((("slo", self._slos[slo]), ("dimension", dimension), ("contributor", contributor)))

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[Key, _Told] = {}


def _age(example: Example) -> float:
    return example.at


def _around(span: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(span), _NOWHERE)


def _begin_anew(counter: SpentCounter | None) -> None:
    if counter is not None:
        counter._begin()  # noqa: SLF001 - its own module
