"""What Redis knows of all replicas: told and asked in one round trip, beside the requests, behind a circuit breaker."""

import json
import os
import secrets
import threading
import time
from array import array
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakMethod

from mita_otel.breakers import CircuitBreaker, Policy
from mita_otel.metrics.looks import Look
from mita_otel.slo.alerts import Window
from mita_otel.slo.archive import Archive
from mita_otel.slo.counts import Cells, count_of
from mita_otel.slo.history import Past
from mita_otel.slo.shared.clock import SharedClock
from mita_otel.slo.shared.connection import Connection
from mita_otel.slo.shared.hours import Hours
from mita_otel.slo.shared.minutes import Minutes
from mita_otel.slo.shared.texts import Replica, short, written
from mita_otel.slo.sources import Seen, Sight
from mita_otel.slo.specification import Slo
from mita_otel.slo.windows import DAY, HOUR, MINUTE, WINDOWS, Period
from mita_otel.traces.background import unobserved

if TYPE_CHECKING:
    from redis import Redis

BREAKER: Final = "slo_redis"
POLICY: Final = Policy(failure_threshold=3, success_threshold=1, open_seconds=30)

TOLD_EVERY: Final = 10.0
"""Seconds between two rounds."""
TOO_OLD: Final = 90.0
"""Seconds after which what was seen last is passed over."""
ABSENT: Final = 90.0
"""Seconds of silence after which a process that did not say goodbye is missed."""
MISSED: Final = HOUR
"""Seconds for which it is missed: afterwards it has been replaced, or is not wanted any more."""

KEPT: Final = 32 * DAY + HOUR
"""Seconds after its beginning that an hour is gone: a little more than the longest period."""
MINUTES: Final = 26
"""Hours whose minutes are kept; of those before only the sum is."""

_AT_ONCE: Final = 120
"""Minutes that are told in one round, after an outage: a few milliseconds of Redis's time."""
_PREFIX: Final = "mita:slo:"

Told = list[tuple[int, Cells]]


class RedisSource:
    """Counts of all replicas, by the minute for a day and by the hour for a month.

    Each process tells how many events it had in a minute, not how many more: whatever is told twice counts once. It
    tells again what Redis has lost, for a day. `look` and `tick` never wait.

    Args:
        url: of Redis, as redis-py takes it.
        service: as `service.name` says.
        slos: the objectives.
        instance: returns what tells this process from others, as `service.instance.id` does.
        clock: seconds since the epoch, where they are not those of Redis.
        breaker: guards it; by default the process's own for this.
    """

    def __init__(
        self,
        url: str,
        service: str,
        slos: tuple[Slo, ...],
        *,
        instance: Callable[[], str] = str,
        clock: Callable[[], float] | None = None,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self._connection = Connection(url)
        self._slos = slos
        self._names = tuple(short(slo.id) for slo in slos)
        # One hash tag, so that a cluster keeps together what one round is about.
        self._prefix = f"{_PREFIX}{{{service}}}:"
        self._instance = instance
        self._clock = SharedClock(clock)
        self._breaker = breaker or CircuitBreaker.named(BREAKER, POLICY)
        self._counted: Callable[[], Cells] | None = None
        self._minutes = Minutes()
        self._hours = Hours(self._names)
        self._scripts = tuple(files(__package__).joinpath(name).read_text("utf-8") for name in _SCRIPTS)
        self._begin()
        forked = WeakMethod(self._forked)
        os.register_at_fork(after_in_child=lambda: (again := forked()) and again())

    @property
    def lost(self) -> int:
        """Events of this process that others were never told of: Redis was away for more than a day."""
        return self._minutes.lost

    def serve(self, counted: Callable[[], Cells]) -> None:
        """Tell others of these counts from now on, every ten seconds."""
        self._counted = counted
        self._go_on()

    def tick(self) -> None:
        """Take note of what was counted, and begin a round if one is due."""
        self._note()
        if time.perf_counter() - self._round.started_at >= TOLD_EVERY:
            self._round.ask()

    def look(self, now: float) -> Sight | None:
        """Return what the last round saw, unless that is too old."""
        del now
        self.tick()
        return self._round.seen if self._round.age <= TOO_OLD else None

    def past(self) -> Archive | None:
        """Return what Redis has told last, however long that is ago."""
        return self._hours.archive(MINUTE, self._known)

    def wait(self, seconds: float) -> None:
        """Wait until the round under way is over, at most so long."""
        self._round.wait(seconds)

    def close(self, seconds: float) -> None:
        """Tell what is left, and that nothing more will come."""
        deadline = time.monotonic() + seconds
        self._ended.set()
        self._round.wait(seconds / 2)
        self._left = True
        self._breaker.call(self.read)
        while len(self._minutes.untold(2)) > 1 and time.monotonic() < deadline:
            self._breaker.call(self.read)

    def read(self) -> Sight:
        """Tell and ask.

        Raises:
            Exception: Redis did not answer.
        """
        with self._one_at_a_time, unobserved(), self._connection.used() as client:
            return self._exchange(client)

    def _begin(self) -> None:
        self._connection.forget()
        self._one_at_a_time = threading.Lock()
        self._ended = threading.Event()
        # The same process may be started again with the same id: what it counted before it was another one.
        self._begun = secrets.token_hex(4)
        self._left = False
        self._known = 0.0
        self._acknowledged: dict[int, int] = {}
        self._trimmed = 0
        self._round: Look[Sight] = Look(lambda: self._breaker.call(self.read), "mita-slo-redis")

    def _forked(self) -> None:
        """Begin anew in a forked child: it is another process, whose parent tells of what that has counted."""
        self._minutes.begin()
        self._begin()
        self._go_on()

    def _go_on(self) -> None:
        if self._counted is not None and self._clock.is_shared:
            todo = (WeakMethod(self.tick), self._ended)
            threading.Thread(target=_keep_telling, args=todo, name="mita-slo-pace", daemon=True).start()

    def _note(self) -> None:
        if self._counted is not None:
            self._minutes.note(self._clock.now(), self._mine)

    def _mine(self) -> Cells:
        return array("q") if self._counted is None else self._counted()[: 2 * len(self._slos)]

    def _exchange(self, client: "Redis") -> Sight:
        if not self._known:  # before the first round nobody knows what time it is
            self._clock.set(*_seconds(client.time()))
        self._note()
        now = self._clock.now()
        told = self._minutes.untold(_AT_ONCE)
        hour = int(now // HOUR)
        whole, sums = self._hours.wanted(hour)
        pipeline = client.pipeline(transaction=False)
        pipeline.time()
        hours = self._tell(pipeline, told, now)
        whole = sorted({*whole, *(each for each in hours if each > hour - MINUTES)})  # what is told late is read, too
        for each in whole:
            pipeline.hgetall(self._key(each))
        for each in sums:
            pipeline.hget(self._key(each), "all")
        if self._trimmed < hour:
            pipeline.eval(self._scripts[1], *self._old(hour))
        answers = iter(pipeline.execute())
        self._clock.set(*_seconds(next(answers)))
        if hours:
            self._heard(hours, next(answers), told)
        self._hours.learn(hour, {each: next(answers) for each in whole}, {each: next(answers) for each in sums})
        self._trimmed = hour
        self._known = now
        return self._sight(now)

    def _tell(self, pipeline: Any, told: Told, now: float) -> list[int]:
        """Tell of minutes; return the hours that they are of."""
        hours: dict[int, list[tuple[int, str]]] = {}
        for minute, cells in told:
            hours.setdefault(minute // 60, []).append((minute % 60, written(cells, self._names)))
        if hours:
            message = {
                "me": f"@{self._instance()[:100]}~{self._begun}",
                "now": int(now),
                "left": int(self._left),
                "kept": KEPT,
                "hours": [{"began": hour * HOUR, "minutes": minutes} for hour, minutes in hours.items()],
            }
            pipeline.eval(self._scripts[0], len(hours), *map(self._key, hours), json.dumps(message))
        return list(hours)

    def _heard(self, hours: Iterable[int], known: Iterable[int], told: Told) -> None:
        """Take note of what others know now, and find out whether they have forgotten what they knew."""
        forgotten = any(last < self._acknowledged.get(hour, -1) for hour, last in zip(hours, known, strict=True))
        last = told[-1][0]
        self._minutes.told(last)
        self._acknowledged = {hour: minute % 60 for hour, minute in ((minute // 60, minute) for minute, _ in told)}
        if forgotten:
            self._acknowledged = {}
            self._minutes.tell_again()

    def _old(self, hour: int) -> tuple[int, *tuple[str, ...]]:
        """Return the hours that are to be trimmed, as a script takes them: all of them once, then the latest ones."""
        oldest = KEPT // HOUR if self._trimmed == 0 else MINUTES + hour - self._trimmed
        keys = tuple(self._key(hour - ago) for ago in range(MINUTES + 1, oldest + 1))
        return (len(keys), *keys)

    def _key(self, hour: int) -> str:
        return f"{self._prefix}{hour}"

    def _sight(self, now: float) -> Sight:
        archive = self._hours.archive(MINUTE, now)
        there, missing = _present(self._hours.replicas, now)
        seen: dict[str, Seen] = {}
        if archive is not None:
            windows = {length: archive.since(now - length) for length in WINDOWS.values()}
            periods: dict[Period, Past] = {}
            for index, slo in enumerate(self._slos):
                if slo.period not in periods:
                    begin = slo.period.bounds(datetime.fromtimestamp(now, UTC))[0].timestamp()
                    periods[slo.period] = archive.since(begin)
                seen[slo.id] = _seen(index, windows, periods[slo.period])
        return Sight(
            source="redis",
            scope="service",
            watermark=min((each.at for each in there), default=now),
            since=self._hours.began,
            seen=seen,
            replicas=len(there),
            missing=missing,
        )


_SCRIPTS: Final = ("minutes.lua", "trim.lua")


def _seen(index: int, windows: Mapping[int, Past], period: Past) -> Seen:
    return Seen(
        {length: Window(count_of(each.cells, index), each.coverage) for length, each in windows.items()},
        Window(count_of(period.cells, index), period.coverage),
        period.continuity,
    )


def _present(replicas: Mapping[str, Replica], now: float) -> tuple[list[Replica], int]:
    """Return the processes that are there, and how many more should be."""
    staying = [each for each in replicas.values() if not each.left and now - each.at <= MISSED]
    there = [each for each in staying if now - each.at <= ABSENT]
    return there, len(staying) - len(there)


def _keep_telling(tick: "WeakMethod[Callable[[], None]]", ended: threading.Event) -> None:
    while not ended.wait(TOLD_EVERY) and (again := tick()) is not None:
        again()
        del again


def _seconds(told: tuple[int, int]) -> tuple[float, float]:
    """Return Redis's time, and this process's as it was read."""
    return told[0] + told[1] / 1_000_000, time.monotonic()
