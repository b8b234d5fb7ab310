"""What a breaker asks of whoever shares its state with other processes."""

from typing import TYPE_CHECKING, Protocol

from opentelemetry.trace import SpanContext

from mita_otel.breakers.states import Override, Reason

if TYPE_CHECKING:
    from mita_otel.breakers.switch import Switch


class Coordination(Protocol):
    """Shares a breaker's state with other processes. Called with the breaker's lock held: never waits."""

    is_up: bool
    """Whether the others decide: the store answers."""

    def join(self, breaker: "Switch") -> None:
        """Begin to share."""

    def leave(self, breaker: "Switch") -> None:
        """Stop sharing."""

    def tripped(self, name: str, reason: Reason, causes: tuple[SpanContext, ...]) -> None:
        """Let the others know that the circuit has opened here."""

    def probed(self, name: str, causes: tuple[SpanContext, ...], *, failed: bool | None, slow: bool) -> None:
        """Let the others know how a probe has ended; None if it says nothing."""

    def wanted(self, name: str) -> None:
        """Ask for leave to probe: a call was refused although the wait is over."""

    def overridden(self, name: str, override: Override | None) -> None:
        """Let the others know an operator's word."""
