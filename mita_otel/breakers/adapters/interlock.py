"""interlock-cb: calls by their outcome and duration, refused calls, changes of state, and its shared storage."""

from typing import Any

from interlock import State as TheirState
from interlock.outcome import Outcome as TheirOutcome
from opentelemetry.metrics import Meter

from mita_otel.breakers import telemetry
from mita_otel.breakers.adapters.watched import Watched
from mita_otel.breakers.registry import Registry
from mita_otel.breakers.states import Outcome, State


class Listener:
    """An event listener for breakers of interlock, which are told of under the names that they have there.

        CircuitBreaker(name="payments", listener=Listener("payments"))

    Args:
        names: of breakers that are visible before anything happens to them; others are from their first event on.
        registry: makes them visible; the process's by default.
        meter: records durations; the global one by default.

    Raises:
        ValueError: a name is not allowed, or taken.
    """

    def __init__(self, *names: str, registry: Registry | None = None, meter: Meter | None = None) -> None:
        self._registry = registry
        self._meter = meter
        self._made: dict[str, Watched] = {}
        for name in names:
            self.watched(name)

    def watched(self, name: str) -> Watched:
        """Return what is known of a breaker."""
        if name not in self._made:
            self._made[name] = Watched(name, self._registry, self._meter)
        return self._made[name]

    def on_state_change(self, *, name: str, old: TheirState, new: TheirState) -> None:  # noqa: ARG002 - its signature
        """Take note of a change of the state."""
        self.watched(name).moved(State(new.value))

    def on_call(self, *, name: str, outcome: TheirOutcome, duration: float) -> None:
        """Take note of a call that has ended."""
        self.watched(name).ended(Outcome(outcome.value), duration)

    def on_rejected(self, *, name: str) -> None:
        """Take note of a call that was refused."""
        watched = self.watched(name)
        watched.ended(Outcome.REJECTED)
        telemetry.mark_rejected(name, watched.ledger.state, watched.causes, 0.0)

    def on_reset(self, *, name: str) -> None:
        """Take note of a breaker that was reset by hand."""
        self.watched(name).moved(State.CLOSED)

    def on_storage_degraded(self, *, name: str, error: BaseException) -> None:
        """Take note of a shared storage that does not answer."""
        telemetry.storage_event(self.watched(name).ledger, "degraded", error)

    def on_storage_recovered(self, *, name: str) -> None:
        """Take note of a shared storage that answers again."""
        telemetry.storage_event(self.watched(name).ledger, "recovered")

    def on_storage_write_dropped(self, *, name: str) -> None:
        """Take note of a message that its shared storage did not take."""
        ledger = self.watched(name).ledger
        with ledger.lock:
            ledger.storage_events["dropped"] += 1

    def on_retry(self, **event: Any) -> None:
        """Leave retries to whoever retries."""

    def on_bulkhead_rejected(self, **event: Any) -> None:
        """Leave bulkheads to whoever has one."""

    def on_fallback(self, **event: Any) -> None:
        """Leave fallbacks to whoever falls back."""
