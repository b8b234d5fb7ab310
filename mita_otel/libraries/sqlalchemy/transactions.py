"""How the transactions of SQLAlchemy end; what is known of one is kept on its connection.

The methods that commit and roll back are wrapped, not their events: those fire before, and cannot tell how it went.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from sqlalchemy.engine import Connection
from sqlalchemy.engine.base import RootTransaction

from mita_otel.libraries.faults import Faults
from mita_otel.libraries.link import driver_error, status_code
from mita_otel.libraries.patches import Patches
from mita_otel.libraries.transactions import Transactions

_WORK: Final = "_mita_work"
"""Attribute of a connection that says what its transaction has done; absent if that is nothing."""

_READ, _WROTE, _FAILED = 1, 2, 3

_Method = Callable[..., Any]


def did(connection: Connection, *, reads: bool) -> None:
    """Remember that a transaction has executed something."""
    work, known = _READ if reads else _WROTE, connection.__dict__
    if known.get(_WORK, 0) < work:
        known[_WORK] = work


def failed(connection: Connection, error: BaseException) -> None:
    """Remember that the server has refused a statement."""
    if status_code(driver_error(error)) is not None:
        connection.__dict__[_WORK] = _FAILED


class Endings:
    """Counts how transactions end.

    One that only read, and was let go without a word, has nothing to undo and is not counted: SQLAlchemy rolls it back
    as it closes the connection, so that every request which only reads would count as rolled back.
    """

    __slots__ = ("_committed", "_is_autocommit", "_not_committed", "_rolled_back")

    def __init__(self, transactions: Transactions, faults: Faults) -> None:
        self._committed = transactions.committed
        self._rolled_back = transactions.rolled_back
        self._not_committed = faults.guard(transactions.not_committed)
        self._is_autocommit = faults.guard(Connection._is_autocommit_isolation)  # noqa: SLF001 - no public name

    def watch(self, patches: Patches) -> None:
        """Wrap what begins to end a transaction."""
        for name in ("_commit_impl", "_commit_twophase_impl"):
            patches.replace(Connection, name, self._committing)
        for name in ("_rollback_impl", "_rollback_twophase_impl"):
            patches.replace(Connection, name, self._rolling_back)
        patches.replace(Connection, "_rollback_to_savepoint_impl", _recovering)
        patches.replace(RootTransaction, "_do_close", _closing)

    def _taken(self, connection: Connection) -> int:
        """Return what a transaction has done, and forget it; 0 where each statement is a transaction of its own."""
        work: int = connection.__dict__.pop(_WORK, 0)
        return 0 if work and self._is_autocommit(connection) else work

    def _committing(self, original: _Method) -> _Method:
        @wraps(original)
        def commit(connection: Connection, *args: Any) -> Any:
            work = self._taken(connection)
            try:
                result = original(connection, *args)
            except BaseException as error:
                if work:
                    self._not_committed(error)
                raise
            if work == _FAILED and connection.dialect.name == "postgresql":
                # Which answers the commit of a transaction with a refused statement by rolling it back, without error.
                self._rolled_back()
            elif work:
                self._committed()
            return result

        return commit

    def _rolling_back(self, original: _Method) -> _Method:
        @wraps(original)
        def rollback(connection: Connection, *args: Any) -> Any:
            work = self._taken(connection)
            try:
                return original(connection, *args)
            finally:
                if work:
                    self._rolled_back()

        return rollback


def _recovering(original: _Method) -> _Method:
    @wraps(original)
    def rollback_to_savepoint(connection: Connection, *args: Any) -> Any:
        result = original(connection, *args)
        if connection.__dict__.get(_WORK) == _FAILED:
            connection.__dict__[_WORK] = _WROTE
        return result

    return rollback_to_savepoint


def _closing(original: _Method) -> _Method:
    @wraps(original)
    def close(transaction: RootTransaction) -> Any:
        known = transaction.connection.__dict__
        if known.get(_WORK) == _READ:
            del known[_WORK]
        return original(transaction)

    return close
