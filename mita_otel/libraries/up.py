"""Whether databases answer: `mita.database.up`, right also while no one uses them.

That a database answered the application within the last `FRESH` seconds shows that it is up, at the cost of one
assignment a query. Otherwise it is asked: with a connection of its own, opened as the application opens its own (same
credentials, same TLS, same proxy), one trivial query and no pool that would notice. Only such a question can say that a
database is down, and while it is down the question is asked anew at each collection: a query that failed may have
failed for reasons of its own, one that failed long ago says nothing of now, and behind a breaker no one asks at all. A
port that accepts connections would prove nothing: those of a proxy and of a server that recovers do, too.

The questions are asked in threads, which the collection waits for `PATIENCE` seconds together: a database that is there
and one that refuses both answer sooner. Of one that says nothing within a second it is told that it is down when that
second is over, at the next collection.

SQLite has no server, and is up as long as its service is.
"""

import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

from mita_otel.libraries.faults import Faults
from mita_otel.libraries.link import Ask, Link, is_there
from mita_otel.libraries.quiet import quiet
from mita_otel.metrics.catalogue.database import UP
from mita_otel.metrics.looks import NEVER, Look

FRESH: Final = 30.0
"""Seconds for which an answer shows that the database is up: two collections, as often as Prometheus would scrape."""

TIMEOUT: Final = 1.0
"""Seconds for a question; as long as the report's health check gives a database (section 2.1)."""

LATE: Final = 1.5
"""Seconds after which a question that still has no answer is one without: some drivers do not keep to `TIMEOUT`."""

PATIENCE: Final = 0.1
"""Seconds that a collection waits for all questions together."""


class Way(NamedTuple):
    """A pool, and how to ask the database that it leads to; where there is no way to ask, only answers are told of."""

    link: Link
    system: str
    ask: Ask | None
    question: str = "SELECT 1"


Ways: TypeAlias = Callable[[], Iterable[Way]]
"""Finds the way of every living pool of a library."""

_sources: Final[WeakKeyDictionary[MeterProvider, list[tuple[Ways, Faults]]]] = WeakKeyDictionary()


def observe(provider: MeterProvider, meter: Meter, ways: Ways, faults: Faults) -> None:
    """Report whether the databases of a library answer; of those that several libraries reach, once."""
    sources = _sources.setdefault(provider, [])
    sources.append((ways, faults))
    if len(sources) == 1:
        UP.observe(meter, Watch(sources))


class Watch:
    """Tells of every database whether it answers, at each collection.

    Args:
        sources: find the ways, with where their faults are counted.
        clock: as `time.perf_counter`.
    """

    __slots__ = ("_clock", "_looks", "_sources")

    def __init__(self, sources: list[tuple[Ways, Faults]], clock: Callable[[], float] = time.perf_counter) -> None:
        self._sources = sources
        self._clock = clock
        self._looks: dict[tuple[str, str], _Question] = {}

    def __call__(self, _: CallbackOptions) -> list[Observation]:
        """Return 1 or 0 for each database; nothing of one of which nothing is known yet."""
        ways = self._ways()
        now = self._clock()
        # What no way leads to any more is forgotten.
        self._looks = {key: self._looks.get(key) or _Question() for key in ways}
        for key, known in ways.items():
            if now - _answered_at(known) > FRESH:
                self._looks[key].ask(known)
        deadline = now + PATIENCE
        return [
            Observation(int(is_up), {"db.client.connection.pool.name": pool, "db.system.name": system})
            for (pool, system), known in ways.items()
            if (is_up := self._looks[pool, system].verdict(_answered_at(known), deadline - self._clock())) is not None
        ]

    def _ways(self) -> dict[tuple[str, str], list[Way]]:
        found: dict[tuple[str, str], list[Way]] = {}
        for ways, faults in self._sources:
            try:
                for way in ways():
                    found.setdefault((way.link.pool, way.system), []).append(way)
            except Exception:  # noqa: BLE001 - a collection must not lose its other databases
                faults.report()
        return found


class _Question:
    """Asks one database whether it is there."""

    __slots__ = ("_look", "_ways")

    def __init__(self) -> None:
        self._ways: list[Way] = []
        self._look: Look[bool | None] = Look(self._is_there, "mita-database-up")

    def ask(self, ways: list[Way]) -> None:
        """Begin to ask by the first way that leads there."""
        self._ways = ways
        self._look.ask()

    def verdict(self, answered_at: float, patience: float) -> bool | None:
        """Return the newest that is known: an answer to the application, an answer to us, or none for too long."""
        self._look.wait(max(0.0, patience))
        if self._look.under_way_for > LATE:
            return False
        if answered_at > self._look.seen_at:
            return True
        return self._look.seen

    def _is_there(self) -> bool | None:
        quiet.set(True)
        for way in self._ways:
            if way.ask is None:
                continue
            error: Exception | None = None
            try:
                way.ask([way.question], TIMEOUT)
            except LookupError:
                continue
            except Exception as raised:  # noqa: BLE001 - the verdict is made of it
                error = raised
            return is_there(error)
        return None


def _answered_at(ways: list[Way]) -> float:
    return max((way.link.answered_at for way in ways), default=NEVER)
