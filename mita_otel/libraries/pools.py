"""The pools of the database libraries: one set of metrics for all, read when they are collected."""

from collections import Counter as Sum
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from opentelemetry.metrics import CallbackOptions, Counter, MeterProvider, Observation

from mita_otel.libraries.database import Attributes, Endpoint, meter
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.model import Telemetry
from mita_otel.metrics import timeouts
from mita_otel.metrics.bound import histograms
from mita_otel.metrics.catalogue.database import (
    CONNECTION_COUNT,
    CONNECTION_IDLE_MAX,
    CONNECTION_MAX,
    CONNECTION_TIMEOUTS,
    CONNECTION_WAIT_TIME,
    POOL_OVERFLOW,
    POOL_OVERFLOW_OPENED,
)


def pool_attributes(endpoint: Endpoint) -> Attributes:
    """Return the attributes of a pool's metrics: its name, and the system, which tells a cache from a database."""
    return {"db.client.connection.pool.name": endpoint.pool_name, "db.system.name": endpoint.system}


class PoolState(NamedTuple):
    """A pool at the moment it is looked at; limits, and an overflow, that it does not have are None."""

    attributes: Attributes
    idle: int
    used: int
    maximum: int | None = None
    idle_maximum: int | None = None
    overflow: int | None = None


States = Callable[[], Iterable[PoolState]]

_sources: Final[WeakKeyDictionary[MeterProvider, list[tuple[States, Faults]]]] = WeakKeyDictionary()
"""What reads each library's pools; an instrument is made once for all of them, as the SDK drops later callbacks."""


class PoolMetrics:
    """The metrics of a library's pools: read when they are collected, not counted at every checkout.

    Args:
        telemetry: the providers.
        states: reads every living pool of the library; pools of the same name are added up, whosever they are.
        faults: where a failing look is counted.
    """

    __slots__ = ("_all_timeouts", "_overflow", "_timeouts", "_wait_times")

    def __init__(self, telemetry: Telemetry, states: States, faults: Faults) -> None:
        where = meter(telemetry)
        self._wait_times = histograms(CONNECTION_WAIT_TIME.create(where))
        self._timeouts: Counter = CONNECTION_TIMEOUTS.create(where)
        self._overflow: Counter = POOL_OVERFLOW_OPENED.create(where)
        self._all_timeouts = timeouts.counter(telemetry.meter_provider)
        sources = _sources.setdefault(telemetry.meter_provider, [])
        sources.append((states, faults))
        if len(sources) == 1:
            CONNECTION_COUNT.observe(where, _reading(sources, _counts))
            CONNECTION_MAX.observe(where, _reading(sources, _maxima))
            CONNECTION_IDLE_MAX.observe(where, _reading(sources, _idle_maxima))
            POOL_OVERFLOW.observe(where, _reading(sources, _overflows))

    def waited(self, seconds: float, attributes: Attributes) -> None:
        """Record the time that it took to get a connection."""
        self._wait_times.of(tuple(attributes.items())).record(seconds)

    def timed_out(self, attributes: Attributes) -> None:
        """Count a wait that ended without a connection."""
        self._timeouts.add(1, attributes)
        self._all_timeouts.add(scope="pool")

    def overflowed(self, connections: int, attributes: Attributes) -> None:
        """Count connections that were opened beyond the size of the pool; 0 lets the series begin."""
        self._overflow.add(connections, attributes)


def _reading(
    sources: list[tuple[States, Faults]], read: Callable[[PoolState], Iterable[tuple[Attributes, int]]]
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_: CallbackOptions) -> Iterable[Observation]:
        sums: Sum[tuple[tuple[str, Any], ...]] = Sum()
        for states, faults in sources:
            try:
                for state in states():
                    for attributes, value in read(state):
                        sums[tuple(attributes.items())] += value
            except Exception:  # noqa: BLE001 - a collection must not lose its other metrics
                faults.report()
        return [Observation(value, dict(attributes)) for attributes, value in sums.items()]

    return observe


def _counts(state: PoolState) -> Iterable[tuple[Attributes, int]]:
    yield {**state.attributes, "db.client.connection.state": "idle"}, state.idle
    yield {**state.attributes, "db.client.connection.state": "used"}, state.used


def _maxima(state: PoolState) -> Iterable[tuple[Attributes, int]]:
    if state.maximum is not None:
        yield state.attributes, state.maximum


def _idle_maxima(state: PoolState) -> Iterable[tuple[Attributes, int]]:
    if state.idle_maximum is not None:
        yield state.attributes, state.idle_maximum


def _overflows(state: PoolState) -> Iterable[tuple[Attributes, int]]:
    if state.overflow is not None:
        yield state.attributes, state.overflow
