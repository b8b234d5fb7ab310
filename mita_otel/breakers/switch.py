"""The switch of a breaker: gives permits, takes note of how calls end, and changes its state; threads share it."""

import random
import time
from collections.abc import Callable
from math import inf
from typing import Final

from opentelemetry.metrics import Meter
from opentelemetry.trace import SpanContext

from mita_otel.breakers import machine, telemetry
from mita_otel.breakers.coordination import Coordination
from mita_otel.breakers.errors import CircuitOpenError
from mita_otel.breakers.following import Seen, alone, followed
from mita_otel.breakers.ledger import CAUSES, Ledger, Statistics, Transition, distinct
from mita_otel.breakers.machine import Circuit, Permit
from mita_otel.breakers.policy import Policy
from mita_otel.breakers.registry import REGISTRY, Registry
from mita_otel.breakers.states import Outcome, Override, Reason, State
from mita_otel.breakers.verdicts import Verdict
from mita_otel.breakers.window import AnyWindow, Run, empty_window
from mita_otel.traces import request

_DISABLED: Final = Permit(-1, 0, State.DISABLED)
_UNJUDGED: Final = Permit(-1, 0, State.METRICS_ONLY)
"""Permits of calls that change nothing when they end."""

_OWN: Final = {Reason.PROBE_FAILED, Reason.PROBES_SUCCEEDED, Reason.WAIT_OVER}
"""Why a shared circuit changes by what this process has told."""


class Switch:
    """Decides about calls, and knows nothing of how they are made; made as `CircuitBreaker` says."""

    __slots__ = (
        *("_causes", "_circuit", "_clock", "_closed", "_door", "_draw", "_durations", "_judge_result", "_ledger"),
        *("_lock", "_override", "_registry", "_shared", "_slow_after", "_window", "name", "policy"),
    )

    _circuit: Circuit
    _closed: Permit | None
    _door: Permit | None
    _window: AnyWindow

    def __init__(
        self,
        name: str,
        policy: Policy | None = None,
        *,
        registry: Registry | None = None,
        shared: Coordination | None = None,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,
        meter: Meter | None = None,
    ) -> None:
        self.name = name
        self.policy = policy = policy or Policy()
        self._clock = clock
        self._draw = draw
        self._judge_result = policy.judge_result
        self._slow_after = inf if policy.slow_seconds is None else policy.slow_seconds
        self._ledger = Ledger(name, clock=clock)
        self._lock = self._ledger.lock
        self._override: Override | None = None
        self._causes: tuple[SpanContext, ...] = ()
        self._shared = shared
        self._install(Circuit())
        self._registry = REGISTRY if registry is None else registry
        self._registry.add(name, self)
        self._durations = telemetry.durations(name, meter)
        if self._registry is REGISTRY:
            telemetry.observe_this_process()
        if shared is not None:
            self._ledger.storage_events.update(degraded=0, recovered=0, dropped=0)
            shared.join(self)

    @property
    def ledger(self) -> Ledger:
        """What it has done."""
        return self._ledger

    @property
    def causes(self) -> tuple[SpanContext, ...]:
        """Spans of the calls whose failures have opened it; none while it is closed."""
        return self._causes

    @property
    def state(self) -> State:
        """The state it is in. An open one stays open until a call finds that the wait is over."""
        return self._ledger.state

    @property
    def statistics(self) -> Statistics:
        """What it has done, in numbers."""
        return self._ledger.statistics()

    def retire(self) -> None:
        """Leave the registry, so that the name is free; calls go on."""
        if self._shared is not None:
            self._shared.leave(self)
        self._registry.remove(self.name, self)

    def override(self, override: Override | None) -> None:
        """Put an operator's word in the place of its own judgement; None closes the circuit and lets it judge again.

        Calls under way count as nothing. What is shared is overridden for all processes.
        """
        with self._lock:
            if self._shared is not None:
                self._shared.overridden(self.name, override)
            change = self._overridden(override, Reason.OPERATOR)
        _announce(change)

    def follow(self, seen: Seen, *, is_new: bool, keep: Callable[[], None]) -> bool:
        """Follow the circuit that is shared; return whether the others should follow this one instead.

        Args:
            seen: what the store has.
            is_new: whether that has changed since the last look.
            keep: remembers it, in one step with the change here: a probe that ends meanwhile is either's, not both's.
        """
        now = self._clock()
        with self._lock:
            keep()
            change, diverged = None, False
            if is_new and seen.override is not self._override:
                change = self._overridden(seen.override, Reason.SHARED)
            elif self._override is None:
                circuit, diverged = followed(self.policy, self._circuit, seen, now, is_new=is_new)
                if is_new and seen.causes:
                    self._causes = seen.causes
                is_known = seen.is_own and seen.reason in _OWN
                change = self._become(circuit, Reason(seen.reason) if is_known else Reason.SHARED)
        _announce(change)
        return diverged

    def follow_nobody(self) -> None:
        """Judge alone from now on: what others had to decide, too."""
        with self._lock:
            self._circuit = alone(self.policy, self._circuit)

    # What follows is the way of a call, from asking to its end.

    def _ask(self) -> Permit:
        """Return a permit where the circuit is not simply closed.

        Raises:
            CircuitOpenError: there is none.
        """
        now = self._clock()
        with self._lock:
            permit, change = self._admit(now)
            state, causes = self._ledger.state, self._causes
            if permit is None:
                self._ledger.count(Outcome.REJECTED, now, state)
                seconds = self.policy.open_seconds if self._override else machine.retry_after(self._circuit, now)
        _announce(change)
        if permit is not None:
            return permit
        request.failed(self.name)
        try:
            telemetry.mark_rejected(self.name, state, causes, seconds)
        except Exception:  # noqa: BLE001 - the room's door
            telemetry.GUARD.report("telemetry of a circuit breaker")
        raise CircuitOpenError(self.name, seconds)

    def _admit(self, now: float) -> tuple[Permit | None, Transition | None]:
        if self._override is Override.DISABLED:
            return _DISABLED, None
        if self._override is Override.FORCED_OPEN or self._waits_for_others(now):
            return None, None
        if self._closed is not None:
            return self._closed, None
        circuit, permit = machine.asked(self.policy, self._circuit, now)
        change = self._become(circuit, Reason.WAIT_OVER)
        if permit is None and self._shared is not None and not circuit.decides:
            self._shared.wanted(self.name)
        if self._override is None:
            return permit, change
        if permit is None:
            self._ledger.would_reject += 1
            return _UNJUDGED, None
        return permit._replace(state=State.METRICS_ONLY), None

    def _waits_for_others(self, now: float) -> bool:
        """Say whether the circuit is open and the others decide when it is probed; ask them to."""
        if self._shared is None or not self._is_coordinated or self._circuit.state is not State.OPEN:
            return False
        if now >= self._circuit.until:
            self._shared.wanted(self.name)
        return True

    @property
    def _is_coordinated(self) -> bool:
        return self._shared is not None and self._override is None and self._shared.is_up

    def _returned(self, permit: Permit, started: float, result: object) -> None:
        failed = False
        if self._judge_result is not None and result is not None:
            try:
                failed = bool(self._judge_result(result))
            except Exception:  # noqa: BLE001 - a judge must not cost a caller its result
                telemetry.GUARD.report("judge_result")
        self._end(permit, started, failed=failed)

    def _raised(self, permit: Permit, started: float, error: BaseException) -> None:
        verdict = Verdict.IGNORED
        if isinstance(error, Exception):
            try:
                verdict = self.policy.judge_exception(error)
            except Exception:  # noqa: BLE001 - a judge must not hide the caller's exception
                verdict = Verdict.FAILURE
                telemetry.GUARD.report("judge_exception")
        if verdict is Verdict.IGNORED:
            self._ignored(permit, started)
        else:
            self._end(permit, started, failed=verdict is Verdict.FAILURE)

    def _end(self, permit: Permit, started: float, *, failed: bool) -> None:
        """Take note of a call that says something about its dependency."""
        now = self._clock()
        elapsed = now - started
        slow = elapsed >= self._slow_after
        if failed:
            outcome = Outcome.SLOW_FAILURE if slow else Outcome.FAILURE
            cause = telemetry.cause()
            request.failed(self.name)
        else:
            outcome = Outcome.SLOW_SUCCESS if slow else Outcome.SUCCESS
        change: Transition | None = None
        with self._lock:
            self._ledger.count(outcome, now, permit.state)
            if failed:
                self._ledger.causes.append(cause)
            if permit is self._closed:
                self._window = self._window.after(now, failed=failed, slow=slow)
                reason = self._window.reason_to_open(self.policy)
                if reason is not None:
                    change = self._trip(reason, now)
            elif permit.ticket:
                change = self._probed(permit, now, failed=failed, slow=slow)
        try:
            self._durations[outcome](elapsed)
            # A span may make many calls: what is worth a look must not be overwritten by the next one that goes well.
            if failed or slow or permit.ticket:
                telemetry.mark(self.name, permit.state, outcome)
        except Exception:  # noqa: BLE001 - the room's door
            telemetry.GUARD.report("telemetry of a circuit breaker")
        _announce(change)

    def _ignored(self, permit: Permit, started: float) -> None:
        """Take note of a call that says nothing, and give its permit back."""
        now = self._clock()
        with self._lock:
            self._ledger.count(Outcome.IGNORED, now, permit.state)
            if permit.ticket and permit.generation == self._circuit.generation:
                self._circuit = machine.released(self._circuit, permit)
                if self._shared is not None and not self._circuit.decides:
                    self._shared.probed(self.name, self._causes, failed=None, slow=False)
        try:
            self._durations[Outcome.IGNORED](now - started)
        except Exception:  # noqa: BLE001 - the room's door
            telemetry.GUARD.report("telemetry of a circuit breaker")

    # What follows changes the circuit, with the lock held, and returns what is to be announced afterwards.

    def _trip(self, reason: Reason, now: float) -> Transition | None:
        remembered = list(self._ledger.causes)
        if isinstance(self._window, Run):
            remembered = remembered[-self._window.failures :]
        self._causes = distinct(remembered)
        if self._is_coordinated and self._shared is not None:
            self._shared.tripped(self.name, reason, self._causes)
        return self._become(machine.opened(self.policy, self._circuit, now, self._draw()), reason)

    def _probed(self, permit: Permit, now: float, *, failed: bool, slow: bool) -> Transition | None:
        before = self._circuit
        if failed and permit.generation == before.generation and (cause := self._ledger.causes[-1]) is not None:
            self._causes = (*self._causes, cause)[-CAUSES:]
        circuit, reason = machine.probed(self.policy, before, permit, now, self._draw(), failed=failed, slow=slow)
        if circuit is before:
            return None
        if not circuit.decides and self._shared is not None:
            self._shared.probed(self.name, self._causes, failed=failed, slow=slow)
        return self._become(circuit, reason)

    def _overridden(self, override: Override | None, reason: Reason) -> Transition | None:
        if override is self._override and (override is not None or self._circuit.state is State.CLOSED):
            return None
        self._override = override
        self._install(machine.closed(self._circuit))
        return self._ledger.move(State.CLOSED if override is None else State(override.value), reason)

    def _become(self, circuit: Circuit, reason: Reason | None) -> Transition | None:
        if circuit is self._circuit:
            return None
        if circuit.state is self._circuit.state or reason is None:
            self._circuit = circuit
            return None
        self._install(circuit)
        if self._override is not None:
            self._ledger.trips_shadowed += circuit.state is State.OPEN
            return None
        return self._ledger.move(circuit.state, reason, self._causes if circuit.state is State.OPEN else ())

    def _install(self, circuit: Circuit) -> None:
        """Begin a state: with a permit at the ready where every call gets one."""
        self._circuit = circuit
        is_judging = self._override in {None, Override.METRICS_ONLY}
        if circuit.state is State.CLOSED and is_judging:
            seen = State.CLOSED if self._override is None else State.METRICS_ONLY
            self._closed = Permit(circuit.generation, 0, seen)
            self._window = empty_window(self.policy)
            self._causes = ()
            self._ledger.causes.clear()
        else:
            self._closed = None
        self._door = self._closed if self._override is None else None


def _announce(change: Transition | None) -> None:
    if change is None:
        return
    try:
        telemetry.announce(change)
    except Exception:  # noqa: BLE001 - the room's door
        telemetry.GUARD.report("telemetry of a circuit breaker")
