"""redis-py 5 to 8, sync and asyncio, single server and cluster: one span a command or a pipeline."""

import re
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import lru_cache, wraps
from itertools import islice
from typing import Any, Final
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
import redis.asyncio.cluster
import redis.asyncio.connection
import redis.cluster

from mita_otel.libraries.around import awaits, calls
from mita_otel.libraries.database import Attributes, Call, Client, Endpoint, Operation
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.model import Instrumented, Telemetry
from mita_otel.libraries.once import Once
from mita_otel.libraries.patches import Patches
from mita_otel.libraries.pools import PoolMetrics, PoolState, pool_attributes

ARGUMENTS_SHOWN: Final = 16
"""Masked arguments in the text of a command; the text of `MSET` with a thousand keys says no more."""

COMMANDS_SHOWN: Final = 16
"""Commands in the text of a pipeline."""

_HANDSHAKE: Final = frozenset(
    {"HELLO", "AUTH", "COMMAND", "READONLY", "CLIENT SETINFO", "CLIENT SETNAME", "CLUSTER SLOTS", "CLUSTER SHARDS"}
)
"""Commands that a client sends on its own behalf."""

CLUSTER: Final = Endpoint("redis", "0")
"""A cluster as a whole: its nodes come and go, and it has the one database."""

_NAME: Final = re.compile(r"[A-Z][A-Z0-9._]{0,31}(?: [A-Z0-9._-]{1,32})?", re.ASCII)
_UNLIMITED: Final = 2**31
_WAITING: Final = (redis.BlockingConnectionPool, redis.asyncio.BlockingConnectionPool)
_EXHAUSTED: Final = ("Too many connections", "No connection available")
"""Beginnings of what redis-py says of a pool whose connections are all in use; its class for it is new in version 6."""


@Once
def instrument(telemetry: Telemetry) -> Instrumented:
    """Trace every command and pipeline, and measure every pool."""
    client = Client("redis", telemetry)
    servers = _Servers()
    waits = _Waits(servers, PoolMetrics(telemetry, servers.states, client.faults), client.faults)
    command = _Begin(client, servers, command=True)
    pipeline = _Begin(client, servers, command=False)
    patches = Patches()
    for owner, name, begin, wrapper in (
        (redis.Redis, "execute_command", command, calls),
        (redis.cluster.RedisCluster, "execute_command", command, calls),
        (redis.client.PubSub, "execute_command", command, calls),
        (redis.client.Pipeline, "immediate_execute_command", command, calls),
        (redis.client.Pipeline, "execute", pipeline, calls),
        (redis.cluster.ClusterPipeline, "execute", pipeline, calls),
        (redis.asyncio.Redis, "execute_command", command, awaits),
        (redis.asyncio.RedisCluster, "execute_command", command, awaits),
        (redis.asyncio.client.PubSub, "execute_command", command, awaits),
        (redis.asyncio.client.Pipeline, "immediate_execute_command", command, awaits),
        (redis.asyncio.client.Pipeline, "execute", pipeline, awaits),
        (redis.asyncio.cluster.ClusterPipeline, "execute", pipeline, awaits),
    ):
        patches.replace(owner, name, wrapper(begin, client.faults))
    for pool in (redis.ConnectionPool, redis.BlockingConnectionPool):
        patches.replace(pool, "get_connection", waits.calls)
    for async_pool in (redis.asyncio.ConnectionPool, redis.asyncio.BlockingConnectionPool):
        patches.replace(async_pool, "get_connection", waits.awaits)

    def undo() -> None:
        patches.undo()
        servers.clear()

    return Instrumented("redis", redis.__version__, "ours", undo)


class _Servers:
    """What is known about the server behind each pool, as long as the pool lives."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, tuple[Endpoint, Attributes]] = WeakKeyDictionary()

    def find(self, client: Any) -> Endpoint:
        pool = getattr(client, "connection_pool", None)
        return CLUSTER if pool is None else self.of_pool(pool)[0]

    def of_pool(self, pool: Any) -> tuple[Endpoint, Attributes]:
        known = self._known.get(pool)
        if known is None:
            found = endpoint(pool.connection_kwargs)
            known = self._known[pool] = found, pool_attributes(found)
        return known

    def clear(self) -> None:
        self._known.clear()

    def states(self) -> Iterator[PoolState]:
        for pool, (_, attributes) in list(self._known.items()):
            state = _state(pool, attributes)
            if state is not None:
                yield state


def _state(pool: Any, attributes: Attributes) -> PoolState | None:
    maximum = getattr(pool, "max_connections", None)
    if maximum is not None and maximum >= _UNLIMITED:
        maximum = None
    if isinstance(pool, redis.BlockingConnectionPool):
        idle = sum(connection is not None for connection in list(pool.pool.queue))
        return PoolState(attributes, idle, len(pool._connections) - idle, maximum)  # noqa: SLF001 - no public name
    if hasattr(pool, "_available_connections") and hasattr(pool, "_in_use_connections"):
        idle, used = len(pool._available_connections), len(pool._in_use_connections)  # noqa: SLF001 - as above
        return PoolState(attributes, idle, used, maximum)
    return None


class _Waits:
    """Measures what it takes to get a connection: the wait for one of a pool that waits, and a pool that has none."""

    __slots__ = ("_refused", "_waited")

    def __init__(self, servers: _Servers, metrics: PoolMetrics, faults: Faults) -> None:
        def waited(pool: Any, started: float) -> None:
            # Other pools give a connection at once, or none.
            if isinstance(pool, _WAITING):
                metrics.waited(time.perf_counter() - started, servers.of_pool(pool)[1])

        def refused(pool: Any, error: BaseException) -> None:
            if str(error).startswith(_EXHAUSTED):
                metrics.timed_out(servers.of_pool(pool)[1])

        self._waited = faults.guard(waited)
        self._refused = faults.guard(refused)

    def calls(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(original)
        def get_connection(pool: Any, *args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                connection = original(pool, *args, **kwargs)
            except redis.ConnectionError as error:
                self._refused(pool, error)
                raise
            self._waited(pool, started)
            return connection

        return get_connection

    def awaits(self, original: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        @wraps(original)
        async def get_connection(pool: Any, *args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                connection = await original(pool, *args, **kwargs)
            except redis.ConnectionError as error:
                self._refused(pool, error)
                raise
            self._waited(pool, started)
            return connection

        return get_connection


def endpoint(connection_kwargs: dict[str, Any]) -> Endpoint:
    """Return where a pool's connections lead to."""
    database = str(connection_kwargs.get("db") or 0)
    if path := connection_kwargs.get("path"):
        return Endpoint("redis", database, str(path))
    if "host" not in connection_kwargs and "connection_pool" in connection_kwargs:
        # Behind Sentinel the server is known by the name of its service.
        return Endpoint("redis", database, str(connection_kwargs["connection_pool"].service_name))
    port = int(connection_kwargs.get("port") or 6379)
    return Endpoint("redis", database, str(connection_kwargs.get("host") or "localhost"), port)


@lru_cache(4096)
def _command(server: Endpoint, name: str | bytes, arguments: int) -> Call | None:
    decoded = name.decode("ascii", "replace") if isinstance(name, bytes) else name
    command = decoded.upper()
    if command in _HANDSHAKE:
        return None
    if not _NAME.fullmatch(command):
        # Free text in the place of a command must not become a span's name or a metric's attribute.
        command = "OTHER"
    return server.call(command, command, {"db.query.text": _text(command, arguments)})


def _text(command: str, arguments: int) -> str:
    shown = " ".join([command, *["?"] * min(arguments, ARGUMENTS_SHOWN)])
    return shown if arguments <= ARGUMENTS_SHOWN else f"{shown} ...[{arguments} arguments]"


@lru_cache(256)
def _pipeline(server: Endpoint) -> Call:
    return server.call("PIPELINE", "PIPELINE", {})


class _Begin:
    """Begins the operation of a command, or of a pipeline."""

    __slots__ = ("_begin", "_client", "_servers")

    def __init__(self, client: Client, servers: _Servers, *, command: bool) -> None:
        self._client = client
        self._servers = servers
        self._begin = self._command if command else self._pipeline

    def __call__(self, target: Any, args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Operation | None:
        return self._begin(target, args)

    def _command(self, target: Any, args: tuple[Any, ...]) -> Operation | None:
        call = _command(self._servers.find(target), args[0], len(args) - 1)
        return None if call is None else self._client.begin(call, hush=True)

    def _pipeline(self, target: Any, _: tuple[Any, ...]) -> Operation | None:
        size = len(target)
        if not size:
            return None
        call = _pipeline(self._servers.find(target))
        return self._client.begin(call, batch_size=size, hush=True, details=lambda: _commands(target, size))


def _commands(pipeline: Any, size: int) -> Attributes:
    """Return the text of a pipeline, a command a line."""
    stack: Iterable[Any] = getattr(pipeline, "command_stack", None) or ()
    lines = []
    for queued in islice(stack, COMMANDS_SHOWN):
        args = getattr(queued, "args", None) or queued[0]
        call = _command(CLUSTER, args[0], len(args) - 1)
        lines.append("OTHER" if call is None else str(call.attributes["db.query.text"]))
    if lines and size > COMMANDS_SHOWN:
        lines.append(f"...[{size} commands]")
    return {"db.query.text": "\n".join(lines)} if lines else {}
