"""What a caller is told when a breaker does not let a call through."""

from collections.abc import Mapping
from math import ceil
from typing import Final

from mita_otel.errors import ExternalServiceError

_MESSAGE: Final = "a service that this one depends on is not available now"
"""What a client may read: nothing of our insides."""


class CircuitOpenError(ExternalServiceError):
    """The call was not made: its dependency has failed of late. Not to be retried at once.

    Answered by 503 with `Retry-After` where an application's errors are the standard ones.

    Attributes:
        name: of the breaker.
        retry_after: seconds after which a call may be let through; 0 and above.
    """

    def __init__(self, name: str, retry_after: float) -> None:
        """Take the breaker's name and the seconds."""
        super().__init__(_MESSAGE, headers=_headers(retry_after))
        # What logs show, as `str(error)`.
        self.args = (f"circuit breaker {name!r} lets no call through for {retry_after:.3f} s",)
        self.name = name
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type["CircuitOpenError"], tuple[str, float]]:
        """Let the exception cross processes."""
        return type(self), (self.name, self.retry_after)


CallNotPermittedError = CircuitOpenError
"""The same under resilience4j's name."""


def retry_after(error: BaseException | None) -> float | None:
    """Return the seconds to wait if an exception is a breaker's refusal, or was raised from one; else None."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, CircuitOpenError):
            return error.retry_after
        seen.add(id(error))
        error = error.__cause__
    return None


def retry_after_headers(error: BaseException | None) -> Mapping[str, str]:
    """Return the `Retry-After` header, whole seconds of at least 1, for an answer 503; empty without a refusal."""
    seconds = retry_after(error)
    return {} if seconds is None else _headers(seconds)


def _headers(seconds: float) -> Mapping[str, str]:
    return {"Retry-After": str(max(1, ceil(seconds)))}
