"""What caches have done in this process, and what their servers say of themselves."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from weakref import WeakSet

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from mita_otel.metrics.catalogue.cache import INVALIDATIONS, OPERATIONS, PROCESS_HIT_RATE, WARM_UPS

METER: Final = "mita_otel.cache"

CACHES_AT_MOST: Final = 64
"""Names of caches that are told apart; further ones are counted together as `other`."""

_OTHER: Final = "other"

Operation: TypeAlias = Literal["get", "set", "invalidate", "warm_up"]
Status: TypeAlias = Literal["hit", "miss", "success", "rejected", "error"]

_OUTCOMES: Final[tuple[tuple[Operation, Status], ...]] = (
    *(("get", status) for status in ("hit", "miss", "error")),
    *(("set", status) for status in ("success", "rejected", "error")),
    *(("invalidate", status) for status in ("success", "error")),
    *(("warm_up", status) for status in ("success", "rejected", "error")),
)


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache has done in this process since it started, and how its server is doing.

    Source: observability report, section 4.5, `get_cache_stats()`.

    Attributes:
        hit_rate: share of the lookups that were hits, 0 to 1; None where none was answered.
        hits: lookups that found something.
        misses: lookups that found nothing, or nothing that could be read.
        errors: operations that the cache did not answer in time.
        invalidated: entries that were invalidated.
        warmed_up: entries that were stored before anyone asked.
        size: entries in the server's database, whosever they are; None where the server has not answered, as below.
        evictions: entries that the server has evicted since it started, whosever they were.
        memory: bytes that the server uses.
        memory_limit: bytes that it may use; 0 is no limit.
    """

    hit_rate: float | None
    hits: int
    misses: int
    errors: int
    invalidated: int
    warmed_up: int
    size: int | None = None
    evictions: int | None = None
    memory: int | None = None
    memory_limit: int | None = None


class Counts:
    """What the caches of one name have done.

    Additions to a dict's number are not torn apart between threads that the interpreter lets run one at a time; the
    caches of one event loop are in one thread anyway.
    """

    __slots__ = ("invalidated", "name", "operations", "warmed_up")

    def __init__(self, name: str) -> None:
        self.name = name
        self.operations = dict.fromkeys(_OUTCOMES, 0)
        self.invalidated = 0
        self.warmed_up = 0

    def count(self, operation: Operation, status: Status) -> None:
        """Count one operation."""
        self.operations[operation, status] += 1

    @property
    def hit_rate(self) -> float | None:
        """The share of answered lookups that were hits."""
        hits, misses = self.operations["get", "hit"], self.operations["get", "miss"]
        return hits / (hits + misses) if hits + misses else None

    def stats(self) -> CacheStats:
        """Return what is known in this process."""
        return CacheStats(
            hit_rate=self.hit_rate,
            hits=self.operations["get", "hit"],
            misses=self.operations["get", "miss"],
            errors=sum(number for (_, status), number in self.operations.items() if status == "error"),
            invalidated=self.invalidated,
            warmed_up=self.warmed_up,
        )


_counts: Final[dict[str, Counts]] = {}
_askers: Final[dict[str, Callable[[], Awaitable[CacheStats]]]] = {}
_observed: Final[WeakSet[MeterProvider]] = WeakSet()


def counts_of(name: str) -> Counts:
    """Return the counts of the caches of a name; beyond 64 names those of all others."""
    if name not in _counts and len(_counts) >= CACHES_AT_MOST:
        name = _OTHER
    return _counts.setdefault(name, Counts(name))


def register(name: str, ask: Callable[[], Awaitable[CacheStats]]) -> None:
    """Let `get_cache_stats` ask a cache; of several of one name the last one is asked."""
    if name in _askers or len(_askers) < CACHES_AT_MOST:
        _askers[name] = ask


async def get_cache_stats() -> dict[str, CacheStats]:
    """Return the statistics of every cache of this process, by its name; servers are asked all at once."""
    asked = dict(_askers)
    found = await asyncio.gather(*(ask() for ask in asked.values()))
    return dict(zip(asked, found, strict=True))


def observe(provider: MeterProvider) -> None:
    """Report what caches do; once for each provider."""
    if provider in _observed:
        return
    _observed.add(provider)
    meter = provider.get_meter(METER)
    OPERATIONS.observe(meter, _operations)
    INVALIDATIONS.observe(meter, _each(lambda counts: counts.invalidated))
    WARM_UPS.observe(meter, _each(lambda counts: counts.warmed_up))
    PROCESS_HIT_RATE.observe(meter, _hit_rates)


def _operations(_: CallbackOptions) -> Iterable[Observation]:
    return [
        Observation(number, {"cache": counts.name, "operation": operation, "status": status})
        for counts in list(_counts.values())
        for (operation, status), number in counts.operations.items()
    ]


def _hit_rates(_: CallbackOptions) -> Iterable[Observation]:
    rates = {counts.name: counts.hit_rate for counts in list(_counts.values())}
    return [Observation(rate, {"cache": name}) for name, rate in rates.items() if rate is not None]


def _each(read: Callable[[Counts], int]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(read(counts), {"cache": counts.name}) for counts in list(_counts.values())]
