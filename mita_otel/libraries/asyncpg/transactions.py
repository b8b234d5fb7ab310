"""How the transactions end that asyncpg's own `connection.transaction()` begins."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any
from weakref import WeakKeyDictionary

import asyncpg
from asyncpg.transaction import Transaction

from mita_otel.libraries.database import is_silenced, owned
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.link import status_code
from mita_otel.libraries.patches import Patches
from mita_otel.libraries.transactions import Transactions

_Method = Callable[..., Coroutine[Any, Any, Any]]


class _Work:
    """What a connection did before its transaction began, and whether the server has refused a statement since."""

    __slots__ = ("before", "refused")

    def __init__(self, before: int) -> None:
        self.before = before
        self.refused = False


class Endings:
    """Counts how transactions end; those of connections that another library works through are counted there."""

    __slots__ = ("_begun", "_committed", "_not_committed", "_recovered", "_rolled_back", "_taken", "_work", "failed")

    def __init__(self, transactions: Transactions, faults: Faults) -> None:
        self._work: WeakKeyDictionary[Any, _Work] = WeakKeyDictionary()
        self._committed = faults.guard(transactions.committed)
        self._rolled_back = faults.guard(transactions.rolled_back)
        self._not_committed = faults.guard(transactions.not_committed)
        self._begun = faults.guard(self._begin)
        self._taken = faults.guard(self._take)
        self._recovered = faults.guard(self._recover)
        self.failed = faults.guard(self._fail)

    def watch(self, patches: Patches) -> None:
        """Wrap what begins and ends a transaction, by hand or by a block."""
        patches.replace(Transaction, "start", self._starting)
        patches.replace(Transaction, "_Transaction__commit", self._committing)
        patches.replace(Transaction, "_Transaction__rollback", self._rolling_back)

    def _begin(self, transaction: Any) -> None:
        connection = transaction._connection  # noqa: SLF001 - no public names, here and below
        if not transaction._nested and connection not in owned and not is_silenced():  # noqa: SLF001
            self._work[connection] = _Work(connection._protocol.queries_count)  # noqa: SLF001

    def _take(self, transaction: Any) -> _Work | None:
        """Return what a transaction has done, if it is one that counts and did anything, and forget it."""
        if transaction._nested:  # noqa: SLF001
            return None
        connection = transaction._connection  # noqa: SLF001
        work = self._work.pop(connection, None)
        protocol = connection._protocol  # noqa: SLF001 - None once the connection is lost
        if work is None or (protocol is not None and protocol.queries_count <= work.before):
            return None
        return work

    def _fail(self, target: Any, error: BaseException) -> None:
        connection = target if isinstance(target, asyncpg.Connection) else target._connection  # noqa: SLF001
        work = self._work.get(connection)
        if work is not None and status_code(error) is not None:
            work.refused = True

    def _recover(self, transaction: Any) -> None:
        work = self._work.get(transaction._connection)  # noqa: SLF001
        if work is not None:
            work.refused = False

    def _starting(self, original: _Method) -> _Method:
        @wraps(original)
        async def start(transaction: Any) -> None:
            await original(transaction)
            self._begun(transaction)

        return start

    def _committing(self, original: _Method) -> _Method:
        @wraps(original)
        async def commit(transaction: Any) -> None:
            work = self._taken(transaction)
            try:
                await original(transaction)
            except BaseException as error:
                if work is not None:
                    self._not_committed(error)
                raise
            if work is not None:
                # The server answers the commit after a refused statement by rolling back, without an error.
                (self._rolled_back if work.refused else self._committed)()

        return commit

    def _rolling_back(self, original: _Method) -> _Method:
        @wraps(original)
        async def rollback(transaction: Any) -> None:
            work = self._taken(transaction)
            try:
                await original(transaction)
            finally:
                if transaction._nested:  # noqa: SLF001
                    self._recovered(transaction)
                elif work is not None:
                    self._rolled_back()

        return rollback
