"""Caches. Source: observability report, sections 4.5 and 6.1 #1."""

from typing import Final

from mita_otel.metrics.instrument import OURS, Counter, Gauge, bounded, closed

_CACHE: Final = bounded("cache", "caches that the service's code names, 64 at most, and `other`", at_most=65)
_SERVER: Final = (
    bounded("server.address", "the service's cache servers"),
    bounded("server.port", "as server.address"),
)

OPERATIONS: Final = Counter(
    name="mita.cache.operations",
    unit="{operation}",
    description="Operations on a cache, by their outcome; an error is a cache that did not answer in time.",
    source=OURS,
    attributes=(
        _CACHE,
        closed("operation", "get", "set", "invalidate", "warm_up"),
        closed("status", "hit", "miss", "success", "rejected", "error"),
    ),
)
INVALIDATIONS: Final = Counter(
    name="mita.cache.invalidations",
    unit="{entry}",
    description="Entries that were invalidated before their time.",
    source=OURS,
    attributes=(_CACHE,),
)
WARM_UPS: Final = Counter(
    name="mita.cache.warm_ups",
    unit="{entry}",
    description="Entries that were stored before anyone asked for them.",
    source=OURS,
    attributes=(_CACHE,),
)
PROCESS_HIT_RATE: Final = Gauge(
    name="mita.cache.process.hit_rate",
    unit="",
    description="Share of this process's lookups, since it started, that the cache could answer, 0 to 1; ask"
    " `mita_cache_hit_rate` for all processes together.",
    source=OURS,
    attributes=(_CACHE,),
)
SIZE: Final = Gauge(
    name="mita.cache.size",
    unit="By",
    description="Memory that the cache server uses, told by one process of a service on each host.",
    source=OURS,
    attributes=_SERVER,
)
EVICTIONS: Final = Counter(
    name="mita.cache.evictions",
    unit="{entry}",
    description="Entries that the cache server evicted for want of memory, told by one process of a service on a host.",
    source=OURS,
    attributes=_SERVER,
)
