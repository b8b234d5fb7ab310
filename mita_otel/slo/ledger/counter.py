"""The ledger's counter: bad events by contributor, with the traces that they are in."""

import os
import threading
from typing import Final, NamedTuple, TypeAlias
from weakref import ref

from opentelemetry.context import Context
from opentelemetry.metrics import Meter
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from mita_otel.metrics.bound import BoundCounter, counters
from mita_otel.metrics.catalogue.slo import SPENT

Series: TypeAlias = tuple[str, str, str]
"""An objective's id, a dimension, a contributor."""

_KEPT: Final = 3
"""Traces that are kept of events which wait to be told."""

_NOWHERE: Final = Context()


class _Waiting(NamedTuple):
    """Events of a series whose zero is not told yet, and the newest traces of them."""

    bad: int
    traces: tuple[SpanContext, ...]


class SpentCounter:
    """Counts for Prometheus.

    To Prometheus a first value is no increase. Contributors are not known before they have contributed, so that each
    series begins with a zero in one collection, and what happened until then follows in the next.

    Args:
        meter: makes the counter.
    """

    __slots__ = ("__weakref__", "_begun", "_handles", "_lock", "_told", "_waiting")

    _told: set[Series]
    _waiting: dict[Series, _Waiting]
    _begun: set[Series]

    def __init__(self, meter: Meter) -> None:
        self._handles = counters(SPENT.create(meter))
        self._begin()
        held = ref(self)
        os.register_at_fork(after_in_child=lambda: _begin_anew(held()))

    def spent(self, series: Series, trace: SpanContext) -> None:
        """Count a bad event.

        Args:
            series: what it is counted under.
            trace: the request's span; becomes an exemplar if it is sampled.
        """
        with self._lock:
            if series not in self._told:
                if series not in self._waiting:
                    self._handle(series).add(0, _NOWHERE)
                waiting = self._waiting.get(series, _Waiting(0, ()))
                traces = (*waiting.traces, trace)[-_KEPT:] if trace.trace_flags.sampled else waiting.traces
                self._waiting[series] = _Waiting(waiting.bad + 1, traces)
                return
        self._handle(series).add(1, _around(trace))

    def collect(self) -> None:
        """Take note that a collection begins: series whose zeros the last one had are told now."""
        with self._lock:
            begun, self._begun = self._begun, set(self._waiting)
            ready = {series: self._waiting.pop(series) for series in begun}
            self._begun -= begun
            self._told |= begun
        self._tell(ready)

    def close(self) -> None:
        """Tell what waits, as there will be no second collection."""
        with self._lock:
            ready, self._waiting, self._begun = self._waiting, {}, set()
            self._told |= ready.keys()
        self._tell(ready)

    def _tell(self, ready: dict[Series, _Waiting]) -> None:
        for series, (bad, traces) in ready.items():
            handle = self._handle(series)
            for trace in traces:
                handle.add(1, _around(trace))
            if bad > len(traces):
                handle.add(bad - len(traces), _NOWHERE)

    def _handle(self, series: Series) -> BoundCounter:
        slo, dimension, contributor = series
        return self._handles.of((("slo", slo), ("dimension", dimension), ("contributor", contributor)))

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._told = set()
        self._waiting = {}
        self._begun = set()


def _around(trace: SpanContext) -> Context:
    return set_span_in_context(NonRecordingSpan(trace), _NOWHERE) if trace.is_valid else _NOWHERE


def _begin_anew(counter: SpentCounter | None) -> None:
    if counter is not None:
        counter._begin()  # noqa: SLF001 - its own module
