"""SQLAlchemy's engines keep to the deadline: PostgreSQL itself ends what takes longer.

spend_deadlines(engine)

A statement that the server ends leaves its connection as good as new. One that is only abandoned is cancelled by
asyncpg as well, but costs the pool its connection, and a driver without asyncio does not even notice.
"""

from math import inf
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine

from mita_otel.retries.deadline import OutOfTimeError, current, remaining
from mita_otel.retries.transient import sqlstate

SCOPE: Final = "database"

WITHIN: Final = 5.0
"""Seconds: a deadline that is further away is left to cancellation. To tell the server takes a round trip of every
transaction, and what is told in time costs a connection only where somebody waits for five seconds."""

RENEWED: Final = 0.5
"""Share of what the server was told: once less is left, it is told anew."""

SOONEST: Final = 0.001
"""Seconds: PostgreSQL's own unit, and 0 would be no limit at all."""

_TOLD: Final = "_mita_statement_timeout"
"""Attribute of a connection: what the server was told, in seconds, and in which transaction."""

_EXECUTIONS: Final = ("do_execute", "do_execute_no_params", "do_executemany")
"""Events of a dialect. Those of an engine would make SQLAlchemy prepare for all of them at each statement, for 6 us."""

_QUERY_CANCELED: Final = "57014"
_LATE: Final = 0.05
"""Seconds that may be left when the server has ended a statement: its clock and ours are read at different times."""


def spend_deadlines(engine: Engine | AsyncEngine, *, within: float = WITHIN) -> None:
    """Let the statements of an engine end with the deadline of whoever executes them.

    No statement begins after it. In PostgreSQL those under way are ended by `SET LOCAL statement_timeout`, told at the
    first statement of a transaction, and again when half of it is used up.

    Args:
        engine: SQLAlchemy's.
        within: seconds; see `WITHIN`.
    """
    sync = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
    spending = _Spending(within, is_postgresql=sync.dialect.name == "postgresql")
    for name in _EXECUTIONS:
        event.listen(sync, name, spending.executing)
    event.listen(sync, "handle_error", spending.failed, retval=True)


class _Told(NamedTuple):
    seconds: float
    transaction: object


class _Spending:
    """Listens to one engine."""

    __slots__ = ("_is_postgresql", "_within")

    def __init__(self, within: float, *, is_postgresql: bool) -> None:
        self._within = within
        self._is_postgresql = is_postgresql

    def executing(self, *arguments: Any) -> None:
        """Tell the server how much time is left, unless it knows that well enough; the last argument is the context."""
        left = remaining()
        if left == inf:
            return
        if left <= 0:
            raise OutOfTimeError(SCOPE)  # counted as what it interrupts, by the instrumentation
        if left < self._within and self._is_postgresql:
            self._tell(arguments[-1].root_connection, left)

    def _tell(self, connection: Connection, left: float) -> None:
        transaction = connection.get_transaction()
        if transaction is None:
            return  # what the dialect asks a new connection
        told: _Told | None = connection.__dict__.get(_TOLD)
        if told is not None and told.transaction is transaction and left > RENEWED * told.seconds:
            return
        if connection._is_autocommit_isolation():  # noqa: SLF001 - the public way asks the server
            return  # there is no transaction to which it could be limited
        seconds = max(SOONEST, _rounded(left))
        connection.__dict__[_TOLD] = _Told(seconds, transaction)
        # By a cursor of the driver's: it is no statement of the application's, so it has no span, and fails quietly.
        # What makes it fail, a lost connection or an aborted transaction, makes the next one fail loudly.
        try:
            cursor = connection.connection.cursor()
            cursor.execute(f"SET LOCAL statement_timeout = {round(seconds * 1000)}")
            cursor.close()
        except Exception:  # noqa: BLE001 - see above
            del connection.__dict__[_TOLD]

    def failed(self, context: ExceptionContext) -> BaseException | None:
        """Return what a statement has failed with, if the deadline was why."""
        connection = context.connection
        if connection is None or sqlstate(context.original_exception) != _QUERY_CANCELED:
            return None
        told: _Told | None = connection.__dict__.get(_TOLD)
        # Somebody else may cancel a statement, and the application may have limits of its own.
        if told is None or remaining() > _LATE + 0.1 * told.seconds:
            return None
        # It was told a little less than was left. Who answers for the request now must not find that there is time.
        if (deadline := current()) is not None:
            deadline.expire()
        return OutOfTimeError(SCOPE, context.original_exception)


def _rounded(seconds: float) -> float:
    """Return seconds rounded down to two digits: drivers keep a prepared statement for each text that they see."""
    step = 0.001
    while seconds >= 100 * step:
        step *= 10
    return seconds // step * step
