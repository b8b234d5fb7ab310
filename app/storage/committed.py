"""What is done once a change is kept, and never for one that was taken back."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

_WAITING: Final = "waiting for the commit"


def once_committed(session: AsyncSession, call: Callable[[], None]) -> None:
    """Call when what the session has changed is committed; forget it if that is rolled back.

    Args:
        session: whose transaction decides; the service uses no savepoints.
        call: must not raise, and must not use the session.
    """
    waiting = session.info.setdefault(_WAITING, [])
    if not waiting:
        event.listen(session.sync_session, "after_commit", _call_all, once=True)
        event.listen(session.sync_session, "after_rollback", _forget_all, once=True)
    waiting.append(call)


def _call_all(session: Session) -> None:
    for call in _taken(session):
        call()


def _forget_all(session: Session) -> None:
    _taken(session)


def _taken(session: Session) -> list[Callable[[], Any]]:
    waiting: list[Callable[[], Any]] = session.info.pop(_WAITING, [])
    return waiting
