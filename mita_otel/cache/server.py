"""What a Redis server says of its memory, told once for a service on each host."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet

import redis.asyncio
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mita_otel.cache.statistics import METER
from mita_otel.metrics.catalogue.cache import EVICTIONS, SIZE
from mita_otel.metrics.host import HostLease
from mita_otel.metrics.looks import Look
from mita_otel.traces.background import unobserved

TIMEOUT: Final = 1.0
"""Seconds for an answer of the server to a look beside the application."""

PATIENCE: Final = 0.1
"""Seconds that a collection waits for a server: one that is there has answered by then."""

STALE: Final = 60.0
"""Seconds for which a look tells something: of a server that does not answer nothing is told."""

_CONNECTING: Final = (
    *("host", "port", "path", "username", "password", "credential_provider", "client_name", "redis_connect_func"),
    *("socket_keepalive", "socket_keepalive_options", "socket_type"),
)
"""What a pool connects with, and a connection beside it may too; the rest is the pool's own, such as its retries."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """What a server says of itself: bytes, and entries evicted since it started."""

    memory: int
    memory_limit: int
    evictions: int


def read_state(info: Mapping[str, Any]) -> ServerState:
    """Read what `INFO` has answered."""
    return ServerState(
        memory=int(info["used_memory"]),
        memory_limit=int(info.get("maxmemory", 0)),
        evictions=int(info["evicted_keys"]),
    )


class Servers:
    """The servers of this process's caches, one look for each however many caches it has.

    They are told apart by host and port; those behind Sentinel and of clusters are not looked at.

    Args:
        service: whose processes tell of a server once on each host.
    """

    __slots__ = ("_leases", "_looks", "_observed", "_pools", "_service")

    def __init__(self, service: str) -> None:
        self._service = service
        self._pools: WeakKeyDictionary[Any, tuple[str, int | None]] = WeakKeyDictionary()
        self._looks: dict[tuple[str, int | None], Look[ServerState]] = {}
        self._leases: dict[tuple[str, int | None], HostLease] = {}
        self._observed: WeakSet[MeterProvider] = WeakSet()

    def add(self, pool: Any, provider: MeterProvider) -> None:
        """Report what the server of a pool says, as long as the pool lives."""
        options = getattr(pool, "connection_kwargs", None)
        if options is None or "connection_pool" in options:
            return
        self._pools[pool] = where = _address(options)
        self._looks.setdefault(where, Look(self._looking(where), "mita-cache-info"))
        if where not in self._leases:
            self._leases[where] = HostLease(f"{self._service}\0cache\0{where}")
        self._observe(provider)

    def _observe(self, provider: MeterProvider) -> None:
        if provider in self._observed:
            return
        self._observed.add(provider)
        meter = provider.get_meter(METER)
        SIZE.observe(meter, self._reading(lambda state: state.memory, asks=True))
        EVICTIONS.observe(meter, self._reading(lambda state: state.evictions, asks=False))

    def _reading(
        self, read: Callable[[ServerState], int], *, asks: bool
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def callback(_: CallbackOptions) -> Iterable[Observation]:
            for where in dict.fromkeys(self._pools.values()):
                if not self._leases[where].held():
                    continue
                look = self._looks[where]
                if asks:
                    look.ask()
                    look.wait(PATIENCE)
                if look.seen is not None and look.age < STALE:
                    yield Observation(read(look.seen), _attributes(where))

        return callback

    def _looking(self, where: tuple[str, int | None]) -> Callable[[], ServerState]:
        def look() -> ServerState:
            pools = [pool for pool, at in list(self._pools.items()) if at == where]
            if not pools:
                raise LookupError("no pool leads there any more")
            with unobserved():
                return asyncio.run(_ask(pools[0]))

        return look


@lru_cache(1)
def servers() -> Servers:
    """Return the servers of this process."""
    return Servers(str(OTELResourceDetector().detect().attributes.get(SERVICE_NAME, "")))


async def _ask(pool: Any) -> ServerState:
    options = {
        name: value for name, value in pool.connection_kwargs.items() if name in _CONNECTING or name.startswith("ssl_")
    }
    beside: Any = redis.asyncio.ConnectionPool(
        connection_class=pool.connection_class,
        decode_responses=True,
        max_connections=1,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        **options,
    )
    async with asyncio.timeout(TIMEOUT), redis.asyncio.Redis.from_pool(beside) as client:
        return read_state({**await client.info("memory"), **await client.info("stats")})


def _address(options: Mapping[str, Any]) -> tuple[str, int | None]:
    if path := options.get("path"):
        return str(path), None
    return str(options.get("host") or "localhost"), int(options.get("port") or 6379)


def _attributes(where: tuple[str, int | None]) -> dict[str, str | int]:
    address, port = where
    return {"server.address": address} if port is None else {"server.address": address, "server.port": port}
