"""What rate limits cost, what a million clients take of memory, and what an outage of Redis costs requests.

`python -m benchmarks.ratelimit` prints three tables in about a minute. It ends with status 1 if a request was not
answered, or took more than 100 ms beyond what the event loop itself was held up for, in each turn that an answer takes.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import redis.asyncio
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from mita_otel.ratelimit import Limiter, Policy, RateLimits
from mita_otel.ratelimit.fallback import LocalWindows
from mita_otel.ratelimit.flights import PATIENCE
from mita_otel.ratelimit.window import Terms
from mita_otel.settings import Settings
from mita_otel.stack import databases
from mita_otel.stack.databases import Server

Call = Callable[[], Awaitable[Any]]

QUOTA = 1_000_000
CLIENTS = 1_000_000
REMEMBERED = 20_000
ROUNDS = 3_000
AT_ONCE = 100
ALLOWED = 0.1
"""Seconds that Redis may cost a request."""
TURNS = 2 * (PATIENCE + 1)
"""Turns of the event loop that a request may see before it goes on without Redis."""


def _policy(name: str) -> Policy:
    return Policy(name=name, quota=QUOTA, window=3600, routes=("/x",))


def _limiter(policies: int, client: Any = None) -> Limiter:
    return Limiter(map(_policy, "abcd"[:policies]), secret="benchmark" * 2, redis=client, settings=Settings.read({}))


async def _application(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _request(site: Any, client: int = 0) -> int:
    """Send a request to an ASGI application; return the status."""
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    peer = f"10.{client >> 16 & 255}.{client >> 8 & 255}.{client & 255}"
    await site({"type": "http", "method": "GET", "path": "/x", "headers": [], "client": (peer, 1)}, None, send)
    return statuses[0]


async def _cost(url: str) -> None:
    client = redis.asyncio.Redis.from_url(url, retry=Retry(NoBackoff(), 0))
    storage: Any = RedisStorage(f"async+{url}", implementation="redispy")
    theirs, item = SlidingWindowCounterRateLimiter(storage), RateLimitItemPerSecond(QUOTA, 3600)

    async def limits(policies: int) -> None:
        for number in range(policies):
            await theirs.hit(item, str(number))
            await theirs.get_window_stats(item, str(number))

    sites = {number: RateLimits(_application, _limiter(number)) for number in (1, 2)}
    shared = {number: RateLimits(_application, _limiter(number, client)) for number in (1, 2, 4)}
    cases: dict[str, Call] = {
        "the application alone": partial(_request, _application),
        **{f"in this process, limits: {number}": partial(_request, site) for number, site in sites.items()},
        "one GET of Redis": partial(client.get, "x"),
        **{f"on Redis, limits: {number}": partial(_request, site) for number, site in shared.items()},
        **{f"`limits` 5.8 with headers, limits: {number}": partial(limits, number) for number in shared},
    }
    print(f"{'cost of a request':<36}{'fastest':>10}{'median':>10}  us")
    for name, call in cases.items():
        taken = await _taken(call)
        print(f"{name:<36}{min(taken) * 1e6:>10.1f}{statistics.median(taken) * 1e6:>10.1f}")
    await client.aclose()
    await storage.bridge.get_connection().aclose()


async def _taken(call: Call) -> list[float]:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await call()
        taken.append(time.perf_counter() - began)
    return taken


def _million() -> None:
    windows, terms = LocalWindows(["a"], REMEMBERED), [Terms(10, 900_000)]
    process = psutil.Process()
    before, began = process.memory_info().rss, time.perf_counter()
    for number in range(CLIENTS):
        windows.take([("a", number.to_bytes(16, "big"))], terms, 1, number)
    seconds, grown = time.perf_counter() - began, process.memory_info().rss - before
    print(f"\n{CLIENTS:,} clients, {windows.remembered('a'):,} remembered: {grown / 2**20:.1f} MiB,", end=" ")
    print(f"{seconds / CLIENTS * 1e6:.1f} us each")


class Load:
    """Requests of a hundred clients at a time.

    Attributes:
        statuses: how often each was answered.
        longest: the seconds that the slowest request took.
        lag: the longest time for which the event loop was held up, in seconds.
    """

    def __init__(self, site: Any) -> None:
        self._site = site
        self._until = 0.0
        self.statuses: Counter[int] = Counter()
        self.taken: list[float] = []
        self.lag = 0.0

    async def run(self, seconds: float) -> None:
        """Send requests for so long."""
        self._until = time.monotonic() + seconds
        await asyncio.gather(self._watch(), *(self._client(number) for number in range(AT_ONCE)))

    async def _client(self, number: int) -> None:
        while time.monotonic() < self._until:
            began = time.perf_counter()
            self.statuses[await _request(self._site, number)] += 1
            self.taken.append(time.perf_counter() - began)
            await asyncio.sleep(0.02)

    async def _watch(self) -> None:
        while time.monotonic() < self._until:
            began = time.perf_counter()
            await asyncio.sleep(0.001)
            self.lag = max(self.lag, time.perf_counter() - began - 0.001)

    @property
    def is_good(self) -> bool:
        """Whether every request was answered, and Redis held none up for too long."""
        return set(self.statuses) == {200} and max(self.taken) <= ALLOWED + TURNS * self.lag


@contextmanager
def _server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder, databases.redis_server(Path(folder)) as server:
        yield server


async def _outage(name: str, server: Server, events: dict[float, Callable[[], None]]) -> bool:
    client = redis.asyncio.Redis.from_url(server.url, retry=Retry(NoBackoff(), 0))
    limiter = _limiter(2, client)
    await limiter.introduce()
    load = Load(RateLimits(_application, limiter))
    before = limiter.statistics.requests("a")["fallback_allowed"]
    for seconds, event in events.items():
        asyncio.get_running_loop().call_later(seconds, event)
    await load.run(8)
    taken = sorted(load.taken)
    p99, longest = taken[len(taken) * 99 // 100], taken[-1]
    fallen_back = limiter.statistics.requests("a")["fallback_allowed"] - before
    print(f"{name:<24}{len(taken):>8}{fallen_back:>10}{p99 * 1e3:>9.1f}{longest * 1e3:>10.1f}", end="")
    print(f"{load.lag * 1e3:>8.1f}  {dict(load.statuses)}")
    await client.aclose()
    return load.is_good


async def _outages() -> bool:
    print(f"\n{'Redis, for 8 s':<24}{'requests':>8}{'fallback':>10}{'p99':>9}{'longest':>10}{'lag':>8}  ms")
    good = True
    for name in ("stays", "is killed at 2 s", "hangs from 2 s to 5 s", "flaps every second"):
        with _server() as server:
            flaps = {
                second + half / 2: (server.pause, server.resume)[half] for second in range(1, 7) for half in (0, 1)
            }
            events: dict[str, dict[float, Callable[[], None]]] = {
                "is killed at 2 s": {2: server.kill},
                "hangs from 2 s to 5 s": {2: server.pause, 5: server.resume},
                "flaps every second": flaps,
            }
            good &= await _outage(name, server, events.get(name, {}))
    return good


def main() -> None:
    """Print the tables."""
    with _server() as server:
        asyncio.run(_cost(server.url))
    _million()
    sys.exit(0 if asyncio.run(_outages()) else 1)


if __name__ == "__main__":
    main()
