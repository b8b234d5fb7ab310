"""Transactions that are tried again as a whole: what a statement has read before it failed is no longer so.

transactions = Transactions(async_sessionmaker(engine), Retry("database", DATABASE))

async def transfer(session: AsyncSession) -> None: ...

await transactions.run(transfer)
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Generic, Protocol, TypeVar

from mita_otel.retries.retry import Retry
from mita_otel.retries.transient import UnknownOutcomeError, sqlstate

T = TypeVar("T")

_CONNECTION_LOST: Final = ("08", "57P")
"""Beginnings of the SQLSTATEs after which nobody knows what became of a commit. Source: PostgreSQL 17, appendix A."""


class Session(Protocol):
    """What is committed, such as SQLAlchemy's `AsyncSession` or `AsyncConnection`."""

    async def commit(self) -> None:
        """Commit."""


SessionT = TypeVar("SessionT", bound=Session)


class Transactions(Generic[SessionT]):
    """Runs functions in a transaction of their own, again and again until it is committed or no attempt is left.

    Args:
        begin: returns a new session, which rolls back what is not committed when it is left.
        retry: when to try again; `Retry("database", DATABASE)` knows of conflicts, locks and lost connections.
    """

    __slots__ = ("_begin", "_retry")

    def __init__(self, begin: Callable[[], AbstractAsyncContextManager[SessionT]], retry: Retry) -> None:
        self._begin = begin
        self._retry = retry

    async def run(self, work: Callable[[SessionT], Awaitable[T]], *, idempotent: bool = False) -> T:
        """Do some work in a transaction, and commit it.

        Args:
            work: uses the session that it is given and nothing else that lasts: it may be called several times.
            idempotent: whether it may also be done again when it may have been done.

        Raises:
            UnknownOutcomeError: the connection was lost during the commit, and the work is not idempotent.
        """
        return await self._retry.call_async(self._once, work, idempotent)

    async def _once(self, work: Callable[[SessionT], Awaitable[T]], idempotent: bool) -> T:  # noqa: FBT001 - see above
        async with self._begin() as session:
            result = await work(session)
            try:
                await session.commit()
            except Exception as error:
                if idempotent or not _is_lost(error):
                    raise
                raise UnknownOutcomeError("nobody knows whether the transaction was committed") from error
            return result


def _is_lost(error: Exception) -> bool:
    """Say whether a failed commit may have happened: the connection was lost, or the server in the middle of it."""
    code = sqlstate(error)
    return code is None or code.startswith(_CONNECTION_LOST)
