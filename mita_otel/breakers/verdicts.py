"""What counts as a failure of a dependency: by the exception that a call raises, or by what it returns."""

from enum import Enum
from typing import Any, Final

from mita_otel.breakers.errors import CircuitOpenError
from mita_otel.errors import DeadlineExceededError

_TOO_MANY_REQUESTS: Final = 429
_FIRST_SERVER_ERROR: Final = 500


class Verdict(Enum):
    """What one call says about its dependency."""

    SUCCESS = "success"
    FAILURE = "failure"
    IGNORED = "ignored"


def verdict_of_exception(error: Exception) -> Verdict:
    """Judge an exception.

    An HTTP status decides where there is one (on the exception or on its `response`): a dependency that answers 404 is
    there. Another breaker's refusal says nothing about this one's dependency, nor does a deadline that was the
    caller's: else whoever asks for an answer within a millisecond, five times, would open it for all. Everything else
    is a failure: refused and reset connections, timeouts, answers that cannot be read.
    """
    if isinstance(error, CircuitOpenError | DeadlineExceededError):
        return Verdict.IGNORED
    status = getattr(error, "status_code", None) or getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(status, int) and not is_failing_status(status):
        return Verdict.SUCCESS
    return Verdict.FAILURE


def is_failing_result(result: Any) -> bool:
    """Say whether what a call returned is a failure: a response with a failing HTTP status; nothing else is."""
    status = getattr(result, "status_code", None)
    return isinstance(status, int) and is_failing_status(status)


def is_failing_status(status: int) -> bool:
    """Say whether an HTTP status is the dependency's failure: 429 and 500 upwards; other 4xx are the caller's."""
    return status >= _FIRST_SERVER_ERROR or status == _TOO_MANY_REQUESTS
