"""What the processors of spans and of log records have in common: an outbox that the SDK can flush and shut down."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar

from opentelemetry.metrics import MeterProvider

from mita_otel.endpoint import Signal
from mita_otel.export.observation import observe
from mita_otel.export.outbox import Closed, Outbox
from mita_otel.export.pace import Pace
from mita_otel.export.sender import Sender
from mita_otel.export.statistics import Statistics
from mita_otel.export.turns import Turns

if TYPE_CHECKING:
    from mita_otel.export.spool import Spool

DEFAULT_TIMEOUT_MILLIS = 30_000
"""Milliseconds, the SDK's own default for flush and shutdown."""

T = TypeVar("T")


class OutboxProcessor(Generic[T]):
    """Delivers items of one signal, and says the truth about it.

    Args:
        kind: Of the items, in the names of the SDK's metrics.
        signal: Whose sender it is.
        encode: Makes a payload of items.
        sender: For that signal.
        prepare: Applied to each item in the delivery thread before encoding, such as redaction. An item for which it
            raises is dropped and counted: what could not be masked does not leave.
        pace: Sizes and times.
        spool: Where to store what is left in a long outage or at the end; nowhere without it.
        turns: Those of `encode`, if it hands the interpreter over itself.
    """

    def __init__(
        self,
        kind: Literal["span", "log"],
        signal: Signal,
        encode: Callable[[Sequence[T]], bytes],
        *,
        sender: Sender,
        prepare: Callable[[T], T] | None,
        pace: Pace | None,
        spool: "Spool | None" = None,
        turns: Turns | None = None,
    ) -> None:
        self.signal: Final = signal
        self._kind = kind
        prepared = _prepared(prepare, encode)
        self._outbox: Outbox[T]
        if spool is None:
            self._outbox = Outbox(signal=signal, encode=prepared, sender=sender, pace=pace, turns=turns)
        else:
            from mita_otel.export.spooling import SpoolingOutbox  # noqa: PLC0415 - who has no spool starts without

            self._outbox = SpoolingOutbox(
                signal=signal, encode=prepared, sender=sender, spool=spool, pace=pace, turns=turns
            )

    def force_flush(self, timeout_millis: int = DEFAULT_TIMEOUT_MILLIS) -> bool:
        """Return True only if everything that ended before the call was acknowledged within the time."""
        return self._outbox.flush(timeout_millis / 1000)

    def shutdown(self) -> None:
        """Close with the SDK's default of 30 s; call `close` for a deadline of your own."""
        self.close(DEFAULT_TIMEOUT_MILLIS / 1000)

    def close(self, timeout: float) -> Closed:
        """Deliver what is here for at most `timeout` seconds, then stop."""
        return self._outbox.close(timeout)

    @property
    def capacity(self) -> int:
        """Most items the queue can hold."""
        return self._outbox.pace.capacity

    def statistics(self) -> Statistics:
        """Return the counts of this moment."""
        return self._outbox.statistics()

    def observe(self, meter_provider: MeterProvider) -> None:
        """Publish the counts as the standard SDK metrics."""
        observe(self._outbox, self._kind, meter_provider)


def _prepared(
    prepare: Callable[[T], T] | None, encode: Callable[[Sequence[T]], bytes]
) -> Callable[[Sequence[T]], bytes]:
    return encode if prepare is None else lambda items: encode([prepare(item) for item in items])
