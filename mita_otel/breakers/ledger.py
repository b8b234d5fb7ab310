"""What one breaker has done, whoever's it is: counted as plain integers, read when metrics are collected."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.trace import SpanContext

from mita_otel.breakers.states import FAILED, SUCCEEDED, Outcome, Reason, State

HISTORY: Final = 100
"""Changes of the state that are remembered."""

RECENT: Final = 100
"""Calls that the failure rate is about."""

CAUSES: Final = 5
"""Traces of failed calls that are remembered, the newest: as many as lead to a trip by default."""

_RECENT_BITS: Final = (1 << RECENT) - 1


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of a breaker's state.

    Attributes:
        at: seconds since the epoch.
        causes: spans of the calls whose failures led to it.
    """

    name: str
    before: State
    after: State
    reason: Reason
    at: float
    causes: tuple[SpanContext, ...] = ()


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a breaker has done since it was made. Source: observability report, 2.3, "Monitoring stats".

    Attributes:
        total_requests: calls asked for; those that it refused are among them.
        success_rate: of the calls that succeeded or failed, 0 to 1; None without any.
        consecutive_failures: up to now.
        consecutive_successes: up to now.
        last_failure_time: seconds since the epoch; None without one.
        last_success_time: as above.
        state_changed_at: seconds since the epoch.
        would_reject: calls that were let through only because it was told to measure and not to act.
    """

    name: str
    state: State
    total_requests: int
    successes: int
    failures: int
    slow: int
    rejected: int
    ignored: int
    success_rate: float | None
    consecutive_failures: int
    consecutive_successes: int
    last_failure_time: float | None
    last_success_time: float | None
    state_changed_at: float
    total_state_changes: int
    would_reject: int


class Ledger:
    """Counts calls and changes of the state of one breaker.

    What changes it is called with `lock` held.

    Args:
        name: of the breaker.
        state: that it begins in.
        clock: seconds that only grow.
        service: what the metrics call it; the name unless there are too many.

    Attributes:
        causes: spans of the newest failed calls; None where one was not sampled.
        lock: guards the ledger, and the state of the breaker it belongs to.
        calls: by the state in which a call was asked for, then by its outcome.
    """

    __slots__ = (
        *("_changed", "_clock", "_last_failure", "_last_success", "_recent", "_seconds", "_streak"),
        *("calls", "causes", "changed_at", "history", "lock", "name", "state"),
        *("storage_events", "transitions", "trips_shadowed", "would_reject"),
    )

    def __init__(self, name: str, state: State = State.CLOSED, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.name = name
        self.state = state
        self.lock = threading.Lock()
        self.calls = {state: dict.fromkeys(Outcome, 0) for state in State}
        self.causes: deque[SpanContext | None] = deque(maxlen=CAUSES)
        self.history: deque[Transition] = deque(maxlen=HISTORY)
        self.transitions: Counter[tuple[State, State, Reason]] = Counter()
        self.storage_events: Counter[str] = Counter()
        self.would_reject = 0
        self.trips_shadowed = 0
        self.changed_at = time.time()
        self._clock = clock
        self._changed = clock()
        self._seconds = dict.fromkeys(State, 0.0)
        self._streak = 0
        self._recent = 0
        self._last_failure: float | None = None
        self._last_success: float | None = None

    def count(self, outcome: Outcome, now: float, state: State) -> None:
        """Count a call that has ended, or was refused."""
        self.calls[state][outcome] += 1
        if outcome is Outcome.SUCCESS or outcome is Outcome.SLOW_SUCCESS:
            self._streak = self._streak + 1 if self._streak > 0 else 1
            self._last_success = now
            self._recent = self._recent << 1 & _RECENT_BITS
        elif outcome is Outcome.FAILURE or outcome is Outcome.SLOW_FAILURE:
            self._streak = self._streak - 1 if self._streak < 0 else -1
            self._last_failure = now
            self._recent = (self._recent << 1 | 1) & _RECENT_BITS

    def move(self, after: State, reason: Reason, causes: tuple[SpanContext, ...] = ()) -> Transition:
        """Take note of a change of the state, which is to be announced once the lock is released."""
        now = self._clock()
        self._seconds[self.state] += max(0.0, now - self._changed)
        transition = Transition(self.name, self.state, after, reason, time.time(), causes)
        self._changed, self.changed_at, self.state = now, transition.at, after
        self.transitions[transition.before, after, reason] += 1
        self.history.append(transition)
        return transition

    def seconds_in(self, state: State) -> float:
        """Return the seconds spent in a state until now."""
        going_on = max(0.0, self._clock() - self._changed) if state is self.state else 0.0
        return self._seconds[state] + going_on

    def total(self, *outcomes: Outcome) -> int:
        """Return the number of calls that ended in one of these ways."""
        return sum(counts[outcome] for counts in self.calls.values() for outcome in outcomes)

    @property
    def failure_rate(self) -> float | None:
        """The share of failures of the last 100 calls that succeeded or failed; None without any."""
        calls = min(self.total(*SUCCEEDED, *FAILED), RECENT)
        return self._recent.bit_count() / calls if calls else None

    def statistics(self) -> Statistics:
        """Return what has been counted."""
        successes, failures = self.total(*SUCCEEDED), self.total(*FAILED)
        judged = successes + failures
        return Statistics(
            name=self.name,
            state=self.state,
            total_requests=self.total(*Outcome),
            successes=successes,
            failures=failures,
            slow=self.total(Outcome.SLOW_SUCCESS, Outcome.SLOW_FAILURE),
            rejected=self.total(Outcome.REJECTED),
            ignored=self.total(Outcome.IGNORED),
            success_rate=successes / judged if judged else None,
            consecutive_failures=max(0, -self._streak),
            consecutive_successes=max(0, self._streak),
            last_failure_time=self._wall(self._last_failure),
            last_success_time=self._wall(self._last_success),
            state_changed_at=self.changed_at,
            total_state_changes=sum(self.transitions.values()),
            would_reject=self.would_reject,
        )

    def as_dict(self) -> Mapping[str, Any]:
        """Return statistics and history, the newest change first, as JSON has it; takes the lock itself."""
        with self.lock:
            figures, changes = self.statistics(), tuple(self.history)
        history = [
            {
                "at": change.at,
                "from": change.before,
                "to": change.after,
                "reason": change.reason,
                "causes": [f"{cause.trace_id:032x}" for cause in change.causes],
            }
            for change in reversed(changes)
        ]
        fields = {name: getattr(figures, name) for name in Statistics.__dataclass_fields__}
        return {**fields, "failure_rate": self.failure_rate, "history": history}

    def _wall(self, moment: float | None) -> float | None:
        """Return a time of the ledger's clock as seconds since the epoch."""
        return None if moment is None else time.time() - (self._clock() - moment)


def distinct(causes: Iterable[SpanContext | None]) -> tuple[SpanContext, ...]:
    """Return the spans among the causes, each once: several calls may fail within one span."""
    return tuple({cause.span_id: cause for cause in causes if cause is not None}.values())
