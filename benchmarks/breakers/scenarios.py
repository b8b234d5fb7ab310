"""What a breaker does for the callers of a dependency that fails in several ways, behind Toxiproxy.

Run `python -m benchmarks.breakers.scenarios`.
"""

import argparse
import asyncio
import contextlib
import logging
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from benchmarks.breakers.page import write
from benchmarks.breakers.toxiproxy import Dependency, dependency
from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Policy, Registry, State

FAILURES: Final = 4
OPEN_SECONDS: Final = 1.0
JITTER: Final = 0.1
TIME_LIMIT: Final = 0.3
"""Seconds for a call, inside the breaker."""

PROBE_WINDOW: Final = OPEN_SECONDS * (1 + JITTER) + 3 * TIME_LIMIT
"""Seconds within which a breaker closes once the dependency is well: a wait, and the probes."""

CALLS_WHILE_OPEN: Final = 400

POLICY: Final = Policy(failure_threshold=FAILURES, open_seconds=OPEN_SECONDS, open_jitter=JITTER)

_ANSWERED_BEFORE: Final = 20

Spoil = Callable[[Dependency], None]

SCENARIOS: Final[Mapping[str, Spoil]] = {
    "latency 1 s": lambda api: api.spoil("latency", latency=1000),
    "timeout: no answer": lambda api: api.spoil("timeout", timeout=0),
    "reset": lambda api: api.spoil("reset_peer", timeout=0),
    "down": lambda api: api.switch(on=False),
    "drip: 1 kB/s": lambda api: api.spoil("bandwidth", rate=1),
    "cut after 100 bytes": lambda api: api.spoil("limit_data", bytes=100),
}


@dataclass(frozen=True)
class Told:
    """What a scenario came to.

    Attributes:
        calls: that reached the dependency before the breaker opened.
        p99_open: milliseconds that callers waited while it was open, for the fallback.
        closed_after: seconds from the dependency's recovery to the breaker's.
        probes_failed: probes that found it ill before.
    """

    calls: int
    p99_open: float
    closed_after: float
    probes_failed: int


class Caller:
    """Calls the dependency as a service would: fallback(breaker(timeout(call)))."""

    def __init__(self, client: httpx.AsyncClient, breaker: CircuitBreaker, url: str) -> None:
        self.breaker = breaker
        self.reached = 0
        self._client = client
        self._url = url

    async def ask(self) -> str:
        """Return where the answer is from."""
        try:
            async with self.breaker, asyncio.timeout(TIME_LIMIT):
                self.reached += 1
                (await self._client.get(self._url)).raise_for_status()
        except CircuitOpenError:
            return "fallback"
        except (httpx.HTTPError, TimeoutError):
            return "error"
        return "dependency"

    async def open(self) -> int:
        """Ask until the breaker opens; return how many calls that took."""
        before = self.reached
        while self.breaker.state is State.CLOSED:
            await self.ask()
        return self.reached - before

    async def p99(self) -> float:
        """Ask while the breaker is open; return the milliseconds within which 99 % were answered."""
        times = []
        for _ in range(CALLS_WHILE_OPEN):
            began = time.perf_counter()
            if await self.ask() == "fallback":
                times.append((time.perf_counter() - began) * 1000)
        return statistics.quantiles(times, n=100)[98]

    async def close(self) -> float:
        """Ask until the breaker closes; return the seconds that it took."""
        began = time.monotonic()
        while self.breaker.state is not State.CLOSED:
            await self.ask()
            await asyncio.sleep(0.01)
        return time.monotonic() - began


@contextlib.asynccontextmanager
async def caller(url: str, breaker: CircuitBreaker | None = None) -> AsyncIterator[Caller]:
    """Make a caller with connections of its own."""
    # A connection for each call: what the proxy does is done to connections.
    limits = httpx.Limits(max_keepalive_connections=0)
    async with httpx.AsyncClient(limits=limits, timeout=None, trust_env=False) as client:
        yield Caller(client, breaker or CircuitBreaker("api", POLICY, registry=Registry()), url)


async def run(api: Dependency, spoil: Spoil) -> Told:
    """Let the dependency fail in one way, and recover."""
    async with caller(api.url) as asking:
        answered = 0
        for _ in range(1_000):  # a busy machine may be too late for some
            answered += await asking.ask() == "dependency"
            if answered == _ANSWERED_BEFORE:
                break
        else:
            raise RuntimeError("the dependency does not work to begin with")
        spoil(api)
        calls = await asking.open()
        p99 = await asking.p99()
        api.heal()
        return Told(calls, p99, await asking.close(), _reopened(asking.breaker))


async def run_slow_recovery(api: Dependency) -> Told:
    """Let it come back ill first: the first probes fail, the later ones are slow but succeed."""
    async with caller(api.url) as asking:
        api.switch(on=False)
        calls = await asking.open()
        p99 = await asking.p99()
        api.heal()
        api.spoil("latency", latency=1000)
        while not _reopened(asking.breaker):
            await asking.ask()
            await asyncio.sleep(0.01)
        api.heal()
        api.spoil("latency", latency=100)
        return Told(calls, p99, await asking.close(), _reopened(asking.breaker))


def _reopened(breaker: CircuitBreaker) -> int:
    return sum(change.before is State.HALF_OPEN and change.after is State.OPEN for change in breaker.ledger.history)


def is_right(told: Told) -> bool:
    """Say whether it opened within the stated calls, kept callers from waiting, and closed within a probe window."""
    return told.calls <= FAILURES and told.p99_open < 50 and told.closed_after <= PROBE_WINDOW  # noqa: PLR2004 - milliseconds


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--write", action="store_true", help="put the table into the documentation")
    asked = arguments.parse_args()
    logging.disable(logging.WARNING)
    with dependency() as api:
        found = {name: asyncio.run(run(api, spoil)) for name, spoil in SCENARIOS.items()}
        found["slow recovery"] = asyncio.run(run_slow_recovery(api))
    lines = table(found)
    print(lines)
    print(f"stated: at most {FAILURES} calls, 50 ms, {PROBE_WINDOW:.1f} s")
    if asked.write:
        write("benchmarks.breakers.scenarios", lines)
    return int(not all(map(is_right, found.values())))


def table(found: Mapping[str, Told]) -> str:
    """Return what the scenarios came to, in Markdown."""
    lines = [
        "| dependency | calls until open | p99 while open | closed after recovery | failed probes |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {told.calls} | {told.p99_open:.2f} ms | {told.closed_after:.2f} s | {told.probes_failed} |"
        for name, told in found.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
