"""Handles: one instrument under one set of attributes, whose series is looked for once and not at each measurement.

The SDK copies, filters, sorts and hashes the attributes of every measurement before it finds the series: 7.5 us for a
histogram with five attributes and an exemplar, of which a handle leaves 0.6. A handle adds to the SDK's own
aggregation, under that one's lock, so collections, temporalities, several readers, Views, reservoirs and limits stay
the SDK's work.

The first measurement of a handle goes the SDK's way, which makes the series or, where the instrument is full, counts an
overflow; then the handle takes hold of what was made. Series that a handle cannot add to by itself (exponential
histograms, an exemplar filter of the application's own) are handed each measurement ready made, without the search.
Where there is nothing to take hold of (an overflow, a provider that is not the SDK's), all go the SDK's way.
"""

# ruff: noqa: SLF001 - the SDK has no seam for this; its exact version is pinned, and tests compare with its own way

import time
from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, Final, Generic, TypeAlias, TypeVar

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider, TraceBasedExemplarFilter
from opentelemetry.sdk.metrics._internal import aggregation as sdk
from opentelemetry.sdk.metrics._internal._view_instrument_match import _hash_attributes
from opentelemetry.sdk.metrics._internal.instrument import _Synchronous
from opentelemetry.sdk.metrics._internal.measurement import Measurement
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.propagation import _SPAN_KEY

from mita_otel.current_context import get_current
from mita_otel.metrics.exemplars import LastOfBucket

Attributes: TypeAlias = Mapping[str, str | bool | int | float]

Series: TypeAlias = tuple[tuple[str, str | bool | int | float], ...]
"""Attributes in a form that can be looked up."""

Seen: TypeAlias = tuple[int, int, int]
"""When a sampled measurement was taken, in nanoseconds since the epoch, and the ids of its span and its trace."""

HANDLES_AT_MOST: Final = 2_000
"""Handles that are kept for one instrument: as many as it may have series by default."""


class _Nowhere:
    """What a handle holds on to before it has found its series; never what an instrument says that it holds."""

    _reader_storages: Final = ()
    _config: Final = ()


_NOWHERE: Final[Any] = _Nowhere()
_NO_CONTEXT: Final = Context()


class _Bound:
    """What handles of all instruments share: the way to their series.

    Args:
        instrument: of the API; an SDK's, or one of another provider.
        attributes: of every measurement; not changed afterwards.
    """

    __slots__ = ("_attributes", "_config", "_consumer", "_instrument", "_lean", "_others", "_proxy", "_storages")

    def __init__(self, instrument: Any, attributes: Attributes) -> None:
        self._instrument = instrument
        self._attributes = attributes
        self._consumer = self._proxy = _NOWHERE
        self._storages: object = None
        self._config: object = None
        self._lean: tuple[Any, ...] = ()
        self._others: tuple[Any, ...] = ()

    def _is_loose(self) -> bool:
        """Say whether the series is to be looked for: at first, and after a reader came or went.

        The SDK puts a new mapping in the place of the old one for each change of its readers, and a new configuration
        in the place of a meter's, so two comparisons tell.
        """
        return self._consumer._reader_storages is not self._storages or self._proxy._config is not self._config

    def _take_hold(self) -> None:
        """Find the series that the SDK has just filed a measurement under, in every reader and View."""
        instrument = getattr(self._instrument, "_real_instrument", None) or self._instrument
        proxy = getattr(instrument, "_meter_config", None)
        if not isinstance(instrument, _Synchronous) or proxy is None or not proxy.is_enabled:
            return
        consumer: Any = instrument._measurement_consumer
        storages = consumer._reader_storages
        found = list(_series(storages.values(), instrument, self._attributes))
        if None in found:
            return
        self._lean, self._others = (), ()
        can_sample = type(consumer._sdk_config.exemplar_filter) is TraceBasedExemplarFilter
        for aggregation in found:
            prepared = self._prepared(aggregation) if can_sample else None
            if prepared is not None:
                self._lean = (*self._lean, prepared)
            elif not isinstance(aggregation, sdk._DropAggregation):
                self._others = (*self._others, aggregation)
        self._instrument, self._consumer, self._storages = instrument, consumer, storages
        self._proxy, self._config = proxy, proxy._config

    def _prepared(self, aggregation: Any) -> tuple[Any, ...] | None:
        """Return what is needed to add to an aggregation; None if that is not known."""
        raise NotImplementedError

    def _hand_over(self, value: float, context: Context) -> None:
        """Give a measurement to the series that a handle cannot add to by itself."""
        measurement = Measurement(value, time.time_ns(), self._instrument, context, self._attributes)
        sampled = self._consumer._sdk_config.exemplar_filter.should_sample(
            value, measurement.time_unix_nano, self._attributes, context
        )
        for aggregation in self._others:
            aggregation.aggregate(measurement, sampled)


class BoundHistogram(_Bound):
    """A histogram under one set of attributes."""

    __slots__ = ()

    def record(self, value: float, context: Context | None = None) -> None:
        """Record a value, 0 and above; one that is not is refused by the SDK, with a warning.

        Args:
            value: in the instrument's unit.
            context: whose span becomes the exemplar if it is sampled; the current one by default.
        """
        if context is None:
            context = get_current()
        self.record_of(value, context, sampled(context))

    def record_of(self, value: float, context: Context, span: SpanContext | None) -> None:
        """Record a value whose exemplar is known: where several are measured together it is looked for once.

        Args:
            value: in the instrument's unit.
            context: of the measurement.
            span: what `sampled` says of the context.
        """
        # As `_is_loose`; a request calls this three times, and each call that it makes is 0.2 us.
        is_loose = self._consumer._reader_storages is not self._storages or self._proxy._config is not self._config
        if is_loose or not 0 <= value < inf:
            self._instrument.record(value, self._attributes, context)
            self._take_hold()
            return
        for aggregation, bounds, kept in self._lean:
            bucket = bisect_left(bounds, value)
            with aggregation._lock:  # 0.06 us, so that no collection comes between count and sum
                if aggregation._value is None:
                    aggregation._value = [0] * (len(bounds) + 1)
                aggregation._value[bucket] += 1
                aggregation._sum += value
                if value < aggregation._min:  # noqa: PLR1730 - a call of min() is 0.1 us more
                    aggregation._min = value
                if value > aggregation._max:  # noqa: PLR1730 - as above
                    aggregation._max = value
            if span is not None:
                if kept is None:
                    aggregation._reservoir.offer(value, time.time_ns(), self._attributes, context)
                else:
                    kept.kept[bucket] = (self._attributes, value, time.time_ns(), span[1], span[0])  # the ids
        if self._others:
            self._hand_over(value, context)

    def adds_alone(self) -> bool:
        """Say whether all series are found, and are such that a handle adds to them without a context."""
        return not self._is_loose() and not self._others and all(kept is not None for _, _, kept in self._lean)

    def record_all(self, values: Sequence[float], seen: Sequence[Seen | None]) -> None:
        """Record several values, 0 and above, finite, that were measured since the last collection.

        Args:
            values: in the instrument's unit.
            seen: what is told of each as an exemplar; None for those that were not sampled. Where a handle does not add
                alone, nothing is told.
        """
        if not self.adds_alone():
            for value in values:
                self.record_of(value, _NO_CONTEXT, None)
            return
        for aggregation, bounds, kept in self._lean:
            buckets = [bisect_left(bounds, value) for value in values]
            with aggregation._lock:
                counts = aggregation._value
                if counts is None:
                    counts = aggregation._value = [0] * (len(bounds) + 1)
                for bucket in buckets:
                    counts[bucket] += 1
                aggregation._sum += sum(values)
                aggregation._min = min(aggregation._min, *values)
                aggregation._max = max(aggregation._max, *values)
            latest = {bucket: (value, one) for bucket, value, one in zip(buckets, values, seen, strict=True) if one}
            for bucket, (value, one) in latest.items():
                kept.kept[bucket] = (self._attributes, value, *one)

    def _prepared(self, aggregation: Any) -> tuple[Any, ...] | None:
        if type(aggregation) is sdk._ExplicitBucketHistogramAggregation and aggregation._record_min_max:
            reservoir = aggregation._reservoir
            return aggregation, aggregation._boundaries, reservoir if type(reservoir) is LastOfBucket else None
        return None


class BoundCounter(_Bound):
    """A counter under one set of attributes."""

    __slots__ = ()

    def add(self, amount: float = 1, context: Context | None = None) -> None:
        """Add an amount, 0 and above; one that is not is refused by the SDK, with a warning.

        Args:
            amount: in the instrument's unit.
            context: whose span becomes the exemplar if it is sampled; the current one by default.
        """
        if context is None:
            context = get_current()
        if self._is_loose() or not 0 <= amount < inf:
            self._instrument.add(amount, self._attributes, context)
            self._take_hold()
            return
        for (aggregation,) in self._lean:
            with aggregation._lock:
                before = aggregation._value
                aggregation._value = amount if before is None else before + amount
            if sampled(context) is not None:
                aggregation._reservoir.offer(amount, time.time_ns(), self._attributes, context)
        if self._others:
            self._hand_over(amount, context)

    def _prepared(self, aggregation: Any) -> tuple[Any, ...] | None:
        return (aggregation,) if type(aggregation) is sdk._SumAggregation else None


def sampled(context: Context) -> SpanContext | None:
    """Return the span that the SDK's trace-based filter lets become an exemplar; its own five calls take 0.7 us."""
    span: Any = context.get(_SPAN_KEY)
    if span is None:
        return None
    span_context: SpanContext = span.get_span_context()
    return span_context if span_context[3] & TraceFlags.SAMPLED else None  # the flags; their property is a call


def _series(storages: Iterable[Any], instrument: Any, attributes: Attributes) -> Iterator[Any]:
    """Yield the aggregation of each reader and View; None where there is none, as for an overflow."""
    for storage in storages:
        matches = storage._instrument_view_instrument_matches.get(instrument)
        if matches is None:  # nothing was measured yet but what the SDK refused
            yield None
            continue
        for match in matches:
            keys = match._view._attribute_keys
            of_series = {k: v for k, v in attributes.items() if keys is None or k in keys}
            yield match._attributes_aggregation.get(_hash_attributes(of_series))


KeyT = TypeVar("KeyT", bound=Hashable)
HandleT = TypeVar("HandleT")


class Handles(Generic[KeyT, HandleT]):
    """Handles of one instrument, or of several that are measured together, each made when it is first asked for.

    Args:
        bind: makes the handle of a key.
        limit: handles that are kept; one beyond is made anew each time, so that all its measurements go the SDK's way.

    Attributes:
        known: returns the handle of a key if it is kept; the mapping's own method, without a call around it.
    """

    __slots__ = ("_bind", "_kept", "_limit", "known")

    def __init__(self, bind: Callable[[KeyT], HandleT], limit: int = HANDLES_AT_MOST) -> None:
        self._bind = bind
        self._kept: dict[KeyT, HandleT] = {}
        self._limit = limit
        self.known: Final[Callable[[KeyT], HandleT | None]] = self._kept.get

    def of(self, key: KeyT) -> HandleT:
        """Return the handle of a key."""
        handle = self._kept.get(key)
        if handle is None:
            handle = self._bind(key)
            if len(self._kept) < self._limit:
                self._kept[key] = handle
        return handle

    def kept(self) -> list[HandleT]:
        """Return the handles that are kept, as they are now."""
        return list(self._kept.values())


def histograms(instrument: Any, limit: int = HANDLES_AT_MOST) -> Handles[Series, BoundHistogram]:
    """Return the handles of a histogram, by their attributes."""
    return Handles(lambda series: BoundHistogram(instrument, dict(series)), limit)


def counters(instrument: Any, limit: int = HANDLES_AT_MOST) -> Handles[Series, BoundCounter]:
    """Return the handles of a counter, by their attributes."""
    return Handles(lambda series: BoundCounter(instrument, dict(series)), limit)


def obstacles(provider: object) -> Iterator[str]:
    """Yield what keeps handles from adding to series of a provider by themselves; nothing as a rule."""
    if not isinstance(provider, MeterProvider):
        yield f"a provider that is not the SDK's ({type(provider).__name__})"
        return
    config, consumer = provider._sdk_config, provider._measurement_consumer
    if type(config.exemplar_filter) is not TraceBasedExemplarFilter:
        yield f"the exemplar filter {type(config.exemplar_filter).__name__}"
    aggregations = [view._aggregation for view in config.views]
    for reader in consumer._reader_storages:
        aggregations += reader._instrument_class_aggregation.values()
    if any(isinstance(aggregation, ExponentialBucketHistogramAggregation) for aggregation in aggregations):
        yield "exponential histograms"
