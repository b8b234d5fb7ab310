"""A breaker of another library, as far as its listener tells of it."""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Final

from opentelemetry.metrics import Meter
from opentelemetry.trace import SpanContext

from mita_otel.breakers import telemetry
from mita_otel.breakers.ledger import Ledger, distinct
from mita_otel.breakers.registry import REGISTRY, Registry
from mita_otel.breakers.states import FAILED, Outcome, Override, Reason, State


class Watched:
    """Counts what another library's breaker does.

    Args:
        name: for metrics, unique in the registry.
        registry: makes it visible; the process's by default.
        meter: records durations; the global one by default.

    Attributes:
        causes: spans of the calls whose failures have opened it.

    Raises:
        ValueError: the name is not allowed, or taken.
    """

    __slots__ = ("_durations", "_ledger", "_registry", "causes")

    def __init__(self, name: str, registry: Registry | None = None, meter: Meter | None = None) -> None:
        self._registry = REGISTRY if registry is None else registry
        self._ledger = Ledger(name)
        self.causes: tuple[SpanContext, ...] = ()
        self._registry.add(name, self)
        self._durations = telemetry.durations(name, meter)
        if self._registry is REGISTRY:
            telemetry.observe_this_process()

    @property
    def ledger(self) -> Ledger:
        """What it has done."""
        return self._ledger

    def override(self, override: Override | None) -> None:
        """Refuse: what another library decides is not ours to change."""
        raise NotImplementedError(f"{self._ledger.name!r} is a breaker of another library ({override})")

    def retire(self) -> None:
        """Leave the registry, so that the name is free."""
        self._registry.remove(self._ledger.name, self)

    def ended(self, outcome: Outcome, seconds: float | None = None) -> None:
        """Count a call that has ended, or was refused, and the seconds that it took, if they are known."""
        now = time.monotonic()
        with self._ledger.lock:
            self._ledger.count(outcome, now, self._ledger.state)
            if outcome in FAILED:
                self._ledger.causes.append(telemetry.cause())
        if seconds is not None:
            self._durations[outcome](seconds)
        if outcome is not Outcome.SUCCESS:
            telemetry.mark(self._ledger.name, self._ledger.state, outcome)

    def moved(self, state: State) -> None:
        """Take note of the state that the breaker is in now."""
        with self._ledger.lock:
            if state is self._ledger.state:
                return
            if state is State.OPEN:
                self.causes = distinct(self._ledger.causes)
            elif state is State.CLOSED:
                self.causes = ()
                self._ledger.causes.clear()
            change = self._ledger.move(state, Reason.LIBRARY, self.causes if state is State.OPEN else ())
        telemetry.announce(change)


_began: Final[ContextVar[Mapping[int, float] | None]] = ContextVar("mita_breakers_began", default=None)
"""When the calls that this context makes have begun, by the breaker that they go through."""


class CallWatch:
    """Pairs the beginning of a call with its end, for libraries whose listeners tell of both."""

    __slots__ = ("watched",)

    def __init__(self, watched: Watched) -> None:
        self.watched = watched

    def begin(self) -> None:
        """Take note of a call that begins in this context."""
        _began.set({**(_began.get() or {}), id(self): time.perf_counter()})

    def end(self, outcome: Outcome) -> None:
        """Take note of its end."""
        began = (_began.get() or {}).get(id(self))
        self.watched.ended(outcome, None if began is None else time.perf_counter() - began)
