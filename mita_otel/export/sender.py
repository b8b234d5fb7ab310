"""One attempt to hand a payload to a receiver, and the three ways it can end."""

from typing import NamedTuple, Protocol, TypeAlias

from mita_otel.endpoint import OtlpEndpoint, Signal


class Accepted(NamedTuple):
    """The receiver answered with success.

    Attributes:
        rejected_items: Items that the receiver says it threw away (partial success), at least 0.
        message: What the receiver said beside it, or why its answer could not be read; empty as a rule.
    """

    rejected_items: int = 0
    message: str = ""


class Retry(NamedTuple):
    """Not delivered as far as we know, and worth another attempt.

    Attributes:
        reason: For people.
        after: Seconds the receiver asked us to wait, or None.
    """

    reason: str
    after: float | None = None


class Refused(NamedTuple):
    """The receiver will never take this payload.

    Attributes:
        reason: For people.
        divisible: A part of it might be taken: the whole is too large, or one of its items is malformed.
    """

    reason: str
    divisible: bool = False


Outcome: TypeAlias = Accepted | Retry | Refused


class Sender(Protocol):
    """A connection to one receiver for one signal; used by one thread at a time."""

    @property
    def destination(self) -> str:
        """Where it sends, as a log line may show it."""

    def send(self, payload: bytes, timeout: float) -> Outcome:
        """Make one attempt of at most `timeout` seconds; never raises for what a network or receiver can do."""

    def close(self) -> None:
        """Cut a running attempt short and release the connection; callable from any thread, more than once."""


def open_sender(endpoint: OtlpEndpoint, signal: Signal) -> Sender:
    """Make the sender for an endpoint; it connects at its first attempt.

    Raises:
        OSError: A certificate or key file cannot be read.
    """
    # Each protocol is imported only when used: gRPC alone costs about 100 ms of start-up.
    if endpoint.protocol == "grpc":
        from mita_otel.export.grpc import GrpcSender  # noqa: PLC0415 - see above

        return GrpcSender(endpoint, signal)
    from mita_otel.export.http import HttpSender  # noqa: PLC0415 - see above

    return HttpSender(endpoint)
