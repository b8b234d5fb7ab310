"""The way to one database: when it last answered, and how to ask it beside the application's own connections."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from mita_otel.errors import DeadlineExceededError
from mita_otel.metrics.looks import NEVER

Rows: TypeAlias = list[tuple[Any, ...]]

Ask: TypeAlias = Callable[[Sequence[str], float], list[Rows]]
"""Run statements one after the other, in a transaction that is rolled back, on a new connection of their own.

It is opened as the application opens its connections, but no pool knows of it. Takes the statements and the seconds for
all of them together, which a driver without asyncio may overrun; returns the rows of each. It blocks, so a thread of
our own calls it, and raises whatever the driver raises, or `LookupError` where whoever knew the way has gone.
"""

_GONE: Final = ("08", "57P01", "57P02", "57P03", "3D000")
"""Beginnings of the SQLSTATEs that tell of a database which is not there: connections lost and refused, a server that
shuts down or starts up, no database of the name. Source: PostgreSQL, "Error Codes"."""


class Link:
    """What is known about the way to one database.

    Attributes:
        pool: its name, as in the metrics of its pools.
        answered_at: when it last answered, by `time.perf_counter`; `NEVER` again after it has failed to.
        ask: asks it something, where there is a way.
        is_formatted: whether placeholders in statements are `%s` and `%(name)s` instead of numbered.
    """

    __slots__ = ("answered_at", "ask", "is_formatted", "pool")

    def __init__(self, pool: str) -> None:
        self.pool = pool
        self.answered_at = NEVER
        self.ask: Ask | None = None
        self.is_formatted = False


def driver_error(error: BaseException) -> BaseException:
    """Return the driver's own exception from within those that wrap it."""
    original = getattr(error, "orig", None)
    if not isinstance(original, BaseException):
        return error
    return original.__cause__ or original


def status_code(error: BaseException) -> str | None:
    """Return the SQLSTATE of a database's error, if it has one."""
    code = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return code if isinstance(code, str) else None


def is_there(error: BaseException | None) -> bool | None:
    """Say whether an attempt at a database shows that it is there: by its answer, an error of its own included.

    A database that refuses a password, a statement or one connection too many is there. None where the attempt shows
    nothing, because it failed on our side.
    """
    if error is None:
        return True
    cause = driver_error(error)
    if isinstance(cause, DeadlineExceededError):
        return None  # it was the caller who had no time left
    code = status_code(cause)
    if code is not None:
        return not code.startswith(_GONE)
    if isinstance(cause, OSError | TimeoutError) or type(cause).__name__ == "OperationalError":
        return False
    return None
