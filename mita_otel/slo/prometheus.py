"""What Prometheus knows of all replicas: asked in the background, one query a window, behind a circuit breaker."""

import json
import math
import time
from array import array
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode
from urllib.request import urlopen

from mita_otel.breakers import CircuitBreaker, Policy
from mita_otel.metrics.catalogue.slo import EVENTS
from mita_otel.metrics.looks import Look
from mita_otel.slo.alerts import ENOUGH, Window
from mita_otel.slo.archive import Archive, Slice
from mita_otel.slo.budget import Count
from mita_otel.slo.series import SUMMED, SUMS
from mita_otel.slo.sources import Seen, Sight
from mita_otel.slo.specification import Slo
from mita_otel.slo.windows import DAY, HOUR, WINDOWS, Period

Fetch: TypeAlias = Callable[[str], Any]
"""Returns the JSON that a URL answers with."""

BREAKER: Final = "slo_prometheus"
POLICY: Final = Policy(failure_threshold=3, success_threshold=1, open_seconds=30)

ASKED_EVERY: Final = 15.0
"""Seconds: as often as counts leave the processes."""
TOO_OLD: Final = 90.0
"""Seconds after which what was seen last is passed over: six rounds were missed."""

_TIMEOUT: Final = 2.0
"""Seconds for one query."""
_LARGEST: Final = 5_000_000
"""Bytes of an answer: two hundred objectives take a fiftieth of that."""
_SLICES: Final = "slices"
_WHOLE: Final = "whole"

PAST_ASKED_EVERY: Final = 3_600.0
"""Seconds between two times that it is asked for all that it knows, for the time when it does not answer."""
_PAST_LARGEST: Final = 30_000_000
_FINE: Final = 25
"""Hours of which the five minutes are asked for; of those before, the hours."""


class LyingError(ValueError):
    """An answer cannot be."""


def fetch(url: str) -> Any:
    """Return the JSON that a URL answers with, within 2 s."""
    with urlopen(url, timeout=_TIMEOUT) as answer:  # noqa: S310 - the setting allows http and https alone
        return json.loads(answer.read(_PAST_LARGEST if "/query_range?" in url else _LARGEST))


class PrometheusSource:
    """What Prometheus knows.

    A call of `look` never waits: it tells what the last round saw, and begins another one when that is due. Prometheus
    is passed over while it does not answer, while what it says cannot be, and until it has seen the last hour.

    Args:
        url: of Prometheus.
        service: as `service.name` says.
        slos: the objectives.
        get: returns the JSON of a URL.
        breaker: guards it; by default the process's own for this.
        clock: seconds since the epoch.
    """

    __slots__ = ("_breaker", "_clock", "_get", "_past", "_round", "_service", "_slos", "_url")

    def __init__(
        self,
        url: str,
        service: str,
        slos: tuple[Slo, ...],
        *,
        get: Fetch = fetch,
        breaker: CircuitBreaker | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._url = url.rstrip("/")
        self._service = json.dumps(service)
        self._slos = slos
        self._get = get
        self._clock = clock
        self._breaker = breaker or CircuitBreaker.named(BREAKER, POLICY)
        self._round: Look[Sight] = Look(self.read, "mita-slo-prometheus")
        self._past: Look[Archive] = Look(self.read_past, "mita-slo-prometheus-past")

    def look(self, now: float) -> Sight | None:
        """Return what the last round saw, unless that is too old."""
        del now
        if time.perf_counter() - self._round.started_at >= ASKED_EVERY:
            self._round.ask()
        is_known = self._round.age <= TOO_OLD
        if is_known and time.perf_counter() - self._past.started_at >= PAST_ASKED_EVERY:
            self._past.ask()
        return self._round.seen if is_known else None

    def past(self) -> Archive | None:
        """Return what it has told of the past, however long that is ago."""
        return self._past.seen

    def wait(self, seconds: float) -> None:
        """Wait until what is under way is over, at most so long for each; for a command line."""
        self._round.wait(seconds)
        self._past.wait(seconds)

    def read(self) -> Sight:
        """Ask for every window.

        Raises:
            Exception: Prometheus did not answer, or its answer cannot be.
        """
        now = self._clock()
        windows = {length: self._window(length) for length in WINDOWS.values()}
        periods: dict[Period, Mapping[str, Window]] = {}
        for slo in self._slos:
            if slo.period not in periods:
                begin = slo.period.bounds(datetime.fromtimestamp(now, UTC))[0].timestamp()
                periods[slo.period] = self._window(max(round(now - begin), SUMMED), is_long=True)
        seen = {slo.id: self._seen(slo, windows, periods[slo.period]) for slo in self._slos}
        if not any(each.windows[HOUR].coverage >= ENOUGH for each in seen.values()):
            raise LyingError("it has not seen the last hour")
        told = self._told()
        there = told.get("there")
        return Sight(
            source="prometheus",
            scope="service",
            watermark=min(told.get("until", now), now),
            since=None,
            seen=seen,
            replicas=None if there is None else int(there),
            missing=max(int(told.get("usual", 0) - (there or 0)), 0),
        )

    def read_past(self) -> Archive:
        """Ask for the sums of a month's hours and a day's five minutes: two queries.

        Raises:
            Exception: Prometheus did not answer, or its answer cannot be.
        """
        now = self._clock()
        until = int(now // SUMMED * SUMMED)
        fine_from = int(now // HOUR - _FINE) * HOUR
        mine = f"{SUMS}{{service_name={self._service}}}"
        hours = f"sum by (slo, outcome) (sum_over_time({mine}[1h]))"
        fine = f"sum by (slo, outcome) ({mine})"
        return Archive(
            size=len(self._slos),
            source="prometheus",
            until=until,
            step=SUMMED,
            fine=self._slices(fine, SUMMED, fine_from + SUMMED, until),
            fine_from=fine_from,
            hours=self._slices(hours, HOUR, fine_from - 31 * DAY, fine_from),
            replicas=max((self._round.seen.replicas if self._round.seen else None) or 1, 1),
        )

    def _slices(self, expression: str, step: int, begin: int, end: int) -> Mapping[int, Slice]:
        """Return what came in slices that end between two moments."""
        query = urlencode({"query": expression, "start": begin, "end": end, "step": step})
        places = {slo.id: 2 * index for index, slo in enumerate(self._slos)}
        found: dict[int, Slice] = {}
        for each in self._answer(f"query_range?{query}"):
            place = places.get(str(each["metric"]["slo"]))
            if place is None:
                continue
            for at, value in each["values"]:
                slot = int(at) // step - 1
                if slot not in found:
                    found[slot] = Slice(array("q", bytes(16 * len(self._slos))), 1.0)
                found[slot].cells[place + (each["metric"]["outcome"] == "bad")] = round(float(value))
        return found

    def _told(self) -> Mapping[str, float]:
        """Return how many processes tell of themselves, how many did for most of the last hour, and until when it is.

        Sums of five minutes end when their rule was evaluated, which is up to five minutes ago.
        """
        mine = f"service_name={self._service}"
        there = f'count(count by (instance) ({EVENTS.prometheus_name}{{{mine}, outcome="good"}}))'
        asked = {
            "there": there,
            "usual": f"quantile_over_time(0.5, ({there})[1h:1m])",
            "until": f"max(timestamp({SUMS}{{{mine}}}))",
        }
        named = (
            f'label_replace(label_replace({each}, "outcome", "{name}", "", ""), "slo", "{_WHOLE}", "", "")'
            for name, each in asked.items()
        )
        return {name: value for _, name, value in self._query(" or ".join(named))}

    def _seen(self, slo: Slo, windows: Mapping[int, Mapping[str, Window]], period: Mapping[str, Window]) -> Seen:
        mine = {length: each.get(slo.id, Window(Count(), 0.0)) for length, each in windows.items()}
        _believe(slo.id, [mine[length].count for length in sorted(mine)])
        # Since when a service is there Prometheus does not tell at a price; its last hour says whether it is looked at.
        return Seen(mine, period.get(slo.id, Window(Count(), 0.0)), mine[HOUR].coverage)

    def _window(self, length: int, *, is_long: bool = False) -> Mapping[str, Window]:
        counted: dict[str, dict[str, float]] = {}
        for slo, outcome, value in self._query(self._expression(length, is_long=is_long)):
            counted.setdefault(slo, {})[outcome] = value
        return {
            slo: Window(
                Count(parts.get("good", 0.0), parts.get("bad", 0.0)),
                min(parts.get(_SLICES, 0.0) / max(length // SUMMED, 1), 1.0),
            )
            for slo, parts in counted.items()
        }

    def _expression(self, length: int, *, is_long: bool) -> str:
        mine, window = f"service_name={self._service}", f"[{length}s]"
        summed = f"sum_over_time({SUMS}{{{mine}}}{window})"
        counted = f"increase({EVENTS.prometheus_name}{{{mine}}}{window})"
        events = summed if is_long or length > HOUR else counted
        slices = f'max by (slo) (count_over_time({SUMS}{{{mine}, outcome="good"}}{window}))'
        return f'sum by (slo, outcome) ({events}) or label_replace({slices}, "outcome", "{_SLICES}", "", "")'

    def _query(self, expression: str) -> Iterable[tuple[str, str, float]]:
        try:
            found = [
                (str(each["metric"]["slo"]), str(each["metric"]["outcome"]), float(each["value"][1]))
                for each in self._answer(f"query?{urlencode({'query': expression})}")
            ]
        except (KeyError, TypeError, IndexError) as error:
            raise LyingError(f"its answer is of another shape: {error}") from error
        if not all(math.isfinite(value) and value >= 0 for _, _, value in found):
            raise LyingError("it counted what cannot be counted")
        return found

    def _answer(self, path: str) -> Iterable[Any]:
        answer = self._breaker.call(self._get, f"{self._url}/api/v1/{path}")
        try:
            if answer["status"] != "success":
                raise LyingError("it answered without a result")
            return list(answer["data"]["result"])
        except (KeyError, TypeError) as error:
            raise LyingError(f"its answer is of another shape: {error}") from error


def _believe(slo: str, counts: Iterable[Count]) -> None:
    """Refuse windows of which a shorter one holds more than a longer one.

    Half as much more is allowed: increases are extrapolated, and sums end with the last full five minutes.
    """
    longest = 0.0
    for count in reversed(list(counts)):
        if longest and count.total > 1.5 * longest + 10:
            raise LyingError(f"it counted more events of {slo} in a shorter time")
        longest = count.total
