"""The breaker against a model that remembers everything and computes it all anew; calls overlap in every way."""

from collections.abc import Generator
from math import ceil
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Override, Policy, Registry, State

SLOW = 2.0
WAIT = 30.0
LEASE = 20.0

POLICIES = [
    Policy(open_seconds=WAIT, open_jitter=0.0, probe_seconds=LEASE),
    Policy(failure_threshold=1, success_threshold=1, open_seconds=WAIT, open_jitter=0.0, probe_seconds=LEASE),
    Policy(
        mode="rate", window="count", window_size=6, minimum_calls=4, slow_seconds=SLOW, slow_rate=0.75,
        half_open_calls=3, half_open_concurrency=2, open_seconds=WAIT, open_jitter=0.0, probe_seconds=LEASE,
    ),
    Policy(
        mode="rate", window="time", window_size=5, minimum_calls=3, failure_rate=0.6, slow_seconds=SLOW,
        half_open_calls=5, open_seconds=WAIT, open_backoff=2.0, open_seconds_max=100.0, open_jitter=0.0,
        probe_seconds=LEASE,
    ),
]  # fmt: skip


class Answer:
    """What a call waits for, and the test gives it."""

    def __await__(self) -> Generator[None, str, str]:
        return (yield)


async def _dependency() -> str:
    answer = await Answer()
    if answer == "failure":
        raise ConnectionError
    return answer


class Model:
    """What a breaker should do: lists of what happened, read from their beginning each time."""

    def __init__(self, policy: Policy, now: float) -> None:
        self.policy = policy
        self.now = now
        self.state = "closed"
        self.override: str | None = None
        self.era = 0
        self.trips = 0
        self.until = 0.0
        self.ended: list[tuple[float, bool, bool]] = []
        self.probes: dict[int, float] = {}
        self.probed: list[tuple[bool, bool]] = []
        self.would_reject = 0

    def _enter(self, state: str) -> None:
        self.state, self.era = state, self.era + 1
        self.ended, self.probes, self.probed = [], {}, []
        if state == "closed":
            self.trips = 0
        if state == "open":
            wait = WAIT
            for _ in range(self.trips):
                wait = min(wait * self.policy.open_backoff, self.policy.open_seconds_max)
            self.trips += 1
            self.until = self.now + wait

    def overridden(self, override: str | None) -> None:
        if override == self.override and (override or self.state == "closed"):
            return
        self.override = override
        self._enter("closed")

    def admits(self, call: int) -> tuple[bool, tuple[int, bool] | None]:
        """Whether a call is let through, and in which era it was, as a probe or not."""
        if self.override == "disabled":
            return True, None
        if self.override == "forced_open":
            return False, None
        if self.state == "open" and self.now >= self.until:
            self._enter("half_open")
        if self.state == "closed":
            return True, (self.era, False)
        if self.state == "half_open":
            self.probes = {probe: until for probe, until in self.probes.items() if until > self.now}
            decide = self.policy.success_threshold if self.policy.mode == "consecutive" else self.policy.half_open_calls
            at_once = self.policy.half_open_concurrency or decide
            if len(self.probes) < at_once and len(self.probes) + len(self.probed) < decide:
                self.probes[call] = self.now + LEASE
                return True, (self.era, True)
        if self.override == "metrics_only":
            self.would_reject += 1
            return True, None
        return False, None

    def ends(self, call: int, leave: tuple[int, bool] | None, *, failed: bool | None, slow: bool) -> None:
        if leave is None or leave[0] != self.era:
            return
        if not leave[1]:
            if failed is not None:
                self.ended.append((self.now, failed, slow))
                if self._must_open():
                    self._enter("open")
            return
        if call not in self.probes:
            return
        del self.probes[call]
        if failed is not None:
            self.probed.append((failed, slow))
            self._conclude()

    def _must_open(self) -> bool:
        policy, calls = self.policy, self.ended
        if policy.mode == "consecutive":
            last = calls[-policy.failure_threshold :]
            return len(last) == policy.failure_threshold and all(failed for _, failed, _ in last)
        if policy.window == "count":
            calls = calls[-policy.window_size :]
        else:
            calls = [call for call in calls if int(call[0]) > int(self.now) - policy.window_size]
        if len(calls) < policy.minimum_calls:
            return False
        failed, slow = sum(call[1] for call in calls), sum(call[2] for call in calls)
        return failed / len(calls) >= policy.failure_rate or slow / len(calls) >= policy.slow_rate

    def _conclude(self) -> None:
        policy = self.policy
        failed, slow = sum(probe[0] for probe in self.probed), sum(probe[1] for probe in self.probed)
        if policy.mode == "consecutive":
            is_bad, decide = failed > 0, policy.success_threshold
        else:
            decide = policy.half_open_calls
            is_bad = failed >= ceil(policy.failure_rate * decide) or slow >= ceil(policy.slow_rate * decide)
        if is_bad:
            self._enter("open")
        elif len(self.probed) == decide:
            self._enter("closed")


class BreakerAgainstModel(RuleBasedStateMachine):
    calls: Bundle[Any] = Bundle("calls")

    @initialize(policy=st.sampled_from(POLICIES))
    def begin(self, policy: Policy) -> None:
        self.now = 1000.0
        self.breaker = CircuitBreaker("api", policy, registry=Registry(), clock=lambda: self.now)
        self.model = Model(policy, self.now)
        self.number = 0
        self.kept: list[Any] = []
        self.counted = dict.fromkeys(("success", "failure", "ignored", "rejected"), 0)

    @rule(target=calls)
    def call(self) -> Any:
        self.number += 1
        admitted, leave = self.model.admits(self.number)
        call = self.breaker.call_async(_dependency)
        try:
            call.send(None)
        except CircuitOpenError as error:
            assert (admitted, error.retry_after >= 0) == (False, True)  # noqa: PT017 - either way is right at times
            self.counted["rejected"] += 1
            return None
        assert admitted
        return self.number, leave, call, self.now

    @rule(call=consumes(calls), answer=st.sampled_from(["success", "failure", "failure"]))
    def answer(self, call: Any, answer: str) -> None:
        if call is None:
            return
        number, leave, waiting, began = call
        with pytest.raises(ConnectionError if answer == "failure" else StopIteration):
            waiting.send(answer)
        self.counted[answer] += 1
        self.model.ends(number, leave, failed=answer == "failure", slow=self.now - began >= SLOW)

    @rule(call=consumes(calls))
    def cancel(self, call: Any) -> None:
        if call is None:
            return
        number, leave, waiting, _ = call
        waiting.close()
        self.counted["ignored"] += 1
        self.model.ends(number, leave, failed=None, slow=False)

    @rule(answers=st.lists(st.sampled_from(["success", "failure", "failure"]), max_size=8))
    def call_and_answer(self, answers: list[str]) -> None:
        for answer in answers:
            self.answer(self.call(), answer)

    @rule(seconds=st.sampled_from([0.4, 1.0, SLOW, 5.0, LEASE, WAIT, 2 * WAIT, 1e6]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.model.now = self.now

    @rule(probes=st.integers(0, 4))
    def open_and_wait(self, probes: int) -> None:
        """Bring about what chance seldom does: an open circuit whose wait is over, and probes under way."""
        for _ in range(self.model.policy.window_size if self.model.state == "closed" else 0):
            self.answer(self.call(), "failure")
            if self.model.state != "closed":
                break
        self.wait(max(0.0, self.model.until - self.now))
        for _ in range(probes):
            self.kept.append(self.call())

    @rule(answers=st.lists(st.sampled_from(["success", "success", "failure"]), min_size=1, max_size=3))
    def answer_the_oldest(self, answers: list[str]) -> None:
        for answer in answers:
            if self.kept:
                self.answer(self.kept.pop(0), answer)

    @rule(override=st.sampled_from([None, *Override]))
    def override(self, override: Override | None) -> None:
        self.breaker.override(override)
        self.model.overridden(None if override is None else override.value)

    @invariant()
    def they_agree(self) -> None:
        if not hasattr(self, "breaker"):
            return
        assert self.breaker.state is State(self.model.override or self.model.state)
        figures = self.breaker.statistics
        assert figures.would_reject == self.model.would_reject
        counted = (figures.successes, figures.failures, figures.ignored, figures.rejected)
        assert counted == tuple(self.counted.values())


TestBreakerAgainstModel = BreakerAgainstModel.TestCase
if settings.get_current_profile_name() != "deep":
    TestBreakerAgainstModel.settings = settings(max_examples=60, stateful_step_count=50)
