"""Judges every objective by what the best source sees."""

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from weakref import ref

from mita_otel.slo.alerts import ENOUGH, Alarm, Rule, is_firing, judge, rules
from mita_otel.slo.budget import Budget, burn_rate, countdown, pace
from mita_otel.slo.policy import Stage, State, stage, state, worst
from mita_otel.slo.sources import Seen, Sight, Source
from mita_otel.slo.specification import Slo
from mita_otel.slo.windows import HOUR, WINDOWS

KEPT: Final = 1.0
"""Seconds for which a judgement is given again to whoever asks how things stand."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert, and what it does."""

    rule: Rule
    alarm: Alarm
    firing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How one objective stands.

    Attributes:
        slo: the objective.
        budget: of its period so far.
        burn: by window; None where nothing happened in it.
        coverage: share of the period that was watched.
        alerts: on its burn.
        state: in a word.
        stage: of the policy; None where nothing is known.
        pace: seconds that a full budget lasts at the last hour's burn.
        countdown: seconds until what is left is spent at it.
        elapsed: share of the period that is over; 1 for one that rolls.
    """

    slo: Slo
    budget: Budget
    burn: Mapping[str, float | None]
    coverage: float
    alerts: tuple[Alert, ...]
    state: State
    stage: Stage | None
    pace: float | None
    countdown: float | None
    elapsed: float


@dataclass(frozen=True, slots=True)
class Status:
    """How all objectives stand at one moment."""

    at: float
    sight: Sight
    judgements: tuple[Judgement, ...]

    @property
    def state(self) -> State:
        """The worst state of tiers 1 and 2; of all where there are none of these."""
        those = [each.state for each in self.judgements if each.slo.tier <= 2]  # noqa: PLR2004 - see above
        return worst(those or [each.state for each in self.judgements])

    @property
    def stage(self) -> Stage | None:
        """The worst stage of tiers 1 and 2, which is what deployments are held to."""
        stages = [each.stage for each in self.judgements if each.stage is not None and each.slo.tier <= 2]  # noqa: PLR2004
        return min(stages, key=lambda each: each.above, default=None)

    def of(self, id: str) -> Judgement | None:  # noqa: A002 - what it is called
        """Return how the objective of an id stands."""
        return next((each for each in self.judgements if each.slo.id == id), None)


class Engine:
    """Judges objectives, and remembers which alerts fire and which stages were reached.

    Args:
        slos: the objectives.
        sources: from the best to the one that is always there.
        clock: seconds since the epoch.
    """

    __slots__ = ("__weakref__", "_clock", "_firing", "_lock", "_slos", "_sources", "_stages", "_status")

    def __init__(self, slos: Sequence[Slo], sources: Sequence[Source], clock: Callable[[], float] = time.time) -> None:
        self._slos = tuple(slos)
        self._sources = tuple(sources)
        self._clock = clock
        self._lock = threading.Lock()
        held = ref(self)
        os.register_at_fork(after_in_child=lambda: _begin_anew(held()))
        self._status: Status | None = None
        # What one source has seen is not what another one has: each has a memory of its own.
        self._firing: dict[tuple[str, str, int], bool] = {}
        self._stages: dict[tuple[str, str], Stage] = {}

    def status(self, max_age: float = KEPT) -> Status:
        """Return how all objectives stand; never waits for anything but a judgement, of a millisecond or two.

        Args:
            max_age: seconds for which a judgement is given again.
        """
        now = self._clock()
        with self._lock:
            if self._status is None or not 0 <= now - self._status.at < max_age:
                sight = next(sight for source in self._sources if (sight := source.look(now)) is not None)
                judgements = tuple(self._judge(slo, sight.seen[slo.id], sight.source, now) for slo in self._slos)
                self._status = Status(now, sight, judgements)
            return self._status

    def _judge(self, slo: Slo, seen: Seen, source: str, now: float) -> Judgement:
        moment = datetime.fromtimestamp(now, UTC)
        period = slo.period.seconds(moment)
        budget = Budget(slo.objective, seen.period.count, period)
        burn = {
            name: burn_rate(seen.windows[length].count, slo.objective) if seen.windows[length].count.is_valid else None
            for name, length in WINDOWS.items()
        }
        stands = _state(budget, seen, burn["1h"])
        known = stands not in {State.NO_DATA, State.INVALID}
        remaining = budget.remaining_ratio if known else None
        return Judgement(
            slo=slo,
            budget=budget,
            burn=burn,
            coverage=seen.period.coverage,
            alerts=tuple(self._alerts(slo, seen, source, period)),
            state=stands,
            stage=None if remaining is None else self._stage(slo, source, remaining),
            pace=pace(burn["1h"], period),
            countdown=countdown(remaining, burn["1h"], period),
            elapsed=slo.period.elapsed(moment),
        )

    def _alerts(self, slo: Slo, seen: Seen, source: str, period: float) -> list[Alert]:
        made = []
        for number, rule in enumerate(rules(slo.objective, period)):
            alarm = judge(rule, slo.objective, seen.windows)
            key = (source, slo.id, number)
            self._firing[key] = is_firing(alarm, self._firing.get(key, False))
            made.append(Alert(rule, alarm, self._firing[key]))
        return made

    def _stage(self, slo: Slo, source: str, remaining: float) -> Stage:
        key = (source, slo.id)
        self._stages[key] = stage(remaining, self._stages.get(key), slo.stages)
        return self._stages[key]


def _begin_anew(engine: Engine | None) -> None:
    """Free a forked child from a lock that a thread of its parent may have held, and from what that one knew."""
    if engine is not None:
        engine._lock = threading.Lock()  # noqa: SLF001 - its own module
        engine._status = None  # noqa: SLF001 - as above


def _state(budget: Budget, seen: Seen, burn: float | None) -> State:
    counts = [seen.period.count, *(window.count for window in seen.windows.values())]
    if not all(count.is_valid for count in counts):
        return State.INVALID
    if seen.continuity < ENOUGH:
        return State.NO_DATA
    hour = seen.windows[HOUR]
    return state(budget.remaining_ratio, burn if hour.count.total else None)
