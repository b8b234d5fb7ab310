"""Which failures may pass if the same is tried again, and what may be tried again at all.

Judged by what exceptions carry and where their classes come from, so that no client library has to be imported.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mita_otel.retries import backoff
from mita_otel.retries.deadline import OutOfTimeError

IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""Methods that do the same if they are done twice. Source: RFC 9110, section 9.2.2."""

IDEMPOTENCY_KEY: Final = "idempotency-key"
"""The header by which a server knows a request again. Source: IETF draft-ietf-httpapi-idempotency-key-header."""

TRANSIENT_STATUSES: Final[Mapping[int, str]] = {
    408: "the server did not get the request in time",
    425: "the server does not want it that early",
    429: "too many requests; it says when to come back",
    500: "the server failed",
    502: "whoever stands in between got no answer",
    503: "the server cannot now; it may say when to come back",
    504: "whoever stands in between got none in time",
}
"""HTTP statuses that may be others the next time. Source: RFC 9110, section 15."""

TRANSIENT_SQLSTATES: Final[Mapping[str, str]] = {
    "40001": "serialization failure: another transaction was first",
    "40P01": "deadlock: this transaction was chosen to end it",
    "55P03": "a lock was not available",
    "57P01": "the server is being shut down",
    "57P02": "the server has crashed",
    "57P03": "the server cannot take connections yet",
    "53300": "too many connections",
    "08": "the connection was lost, or could not be made",
}
"""SQLSTATEs, or their beginnings, after which a whole transaction may be tried again.

Source: PostgreSQL 17, appendix A.
"""

ROLLED_BACK: Final = frozenset({"40001", "40P01"})
"""SQLSTATEs of a commit that certainly did not happen; after a lost connection nobody knows."""

_LIBRARIES: Final = frozenset({"httpx", "httpcore", "redis", "aiohttp", "requests", "urllib3"})
_PASSING: Final = frozenset({"NetworkError", "TimeoutException", "RemoteProtocolError", "ProxyError"})
_PASSING_EVERYWHERE: Final = frozenset({"ConnectionError", "TimeoutError", "ClientConnectionError"})
_LASTING: Final = frozenset({"AuthenticationError", "AuthorizationError", "MaxConnectionsError"})
_UNSENT: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ConnectionRefusedError"})


class UnknownOutcomeError(Exception):
    """The connection was lost while a transaction was being committed: nobody knows whether it was.

    Not to be tried again unless it does the same when it is done twice.
    """


def is_transient(error: Exception) -> bool:
    """Say whether a failed call may succeed the next time: by its HTTP status, its SQLSTATE, or its class.

    What was raised `from` a transient failure is one, too. Faults of our own, such as a URL that is none, are not.
    """
    return _is_known(error) and any(_is_transient(each) for each in causes(error))


def is_transient_in_database(error: Exception) -> bool:
    """Say whether a transaction that failed may succeed as a whole the next time: by its SQLSTATE alone."""
    code = sqlstate(error)
    return _is_known(error) and code is not None and code.startswith(tuple(TRANSIENT_SQLSTATES))


def _is_known(error: Exception) -> bool:
    return not any(isinstance(each, UnknownOutcomeError) for each in causes(error))


def _is_transient(error: BaseException) -> bool:
    if isinstance(error, OutOfTimeError):
        return False
    status = _status(error)
    if status is not None:
        return status in TRANSIENT_STATUSES
    code = _code(error)
    if code is not None:
        return code.startswith(tuple(TRANSIENT_SQLSTATES))
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    classes = type(error).__mro__
    if any(each.__name__ in _LASTING for each in classes):
        return False
    return any(
        each.__module__.partition(".")[0] in _LIBRARIES and each.__name__ in _PASSING | _PASSING_EVERYWHERE
        for each in classes
    )


def was_never_sent(error: BaseException) -> bool:
    """Say whether the request of a failed call has certainly not left, so that it may be sent whatever it does."""
    return any(each.__name__ in _UNSENT for cause in causes(error) for each in type(cause).__mro__)


def is_idempotent(method: str, headers: Mapping[str, str] | None = None) -> bool:
    """Say whether a request does the same if it is sent twice: by its method, or as it carries an `Idempotency-Key`."""
    if method.upper() in IDEMPOTENT:
        return True
    return any(name.lower() == IDEMPOTENCY_KEY and value.strip() for name, value in (headers or {}).items())


def asked_to_wait(error: Exception) -> float | None:
    """Return the seconds that a failure asks to wait: its `retry_after`, or its response's header; None if it does not.

    Nonsense says nothing.
    """
    for cause in causes(error):
        own = getattr(cause, "retry_after", None)
        if isinstance(own, int | float) and not isinstance(own, bool) and own >= 0:
            return float(own)
        header = _header(cause)
        if header is not None:
            return backoff.retry_after(header, datetime.now(UTC))
    return None


def sqlstate(error: BaseException) -> str | None:
    """Return the SQLSTATE of an error, or of what the driver raised beneath it; None if there is none."""
    return next((code for each in causes(error) if (code := _code(each)) is not None), None)


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and those that it was raised from, each once; SQLAlchemy's `orig` is a cause."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        original = getattr(error, "orig", None)
        error = original if isinstance(original, BaseException) else error.__cause__


def _status(error: Any) -> int | None:
    for status in (
        getattr(error, "status_code", None),
        getattr(getattr(error, "response", None), "status_code", None),
        getattr(error, "status", None),
    ):
        if isinstance(status, int):
            return status
    return None


def _code(error: Any) -> str | None:
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return code if isinstance(code, str) else None


def _header(error: Any) -> str | None:
    try:
        value = error.response.headers.get("retry-after")
    except AttributeError:  # has no response, or one without headers
        return None
    return value if isinstance(value, str) else None
