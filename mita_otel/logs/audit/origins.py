"""Where a request comes from and who sends it, for every record that is made while it is served."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from mita_otel.traces.request import identify_user


class Origin:
    """One request; tasks and threads that work for it see the same object.

    Attributes:
        address: the client's IP address, as the server tells it.
        place: tells which request it is, as far as that is known by then: `POST /api/budgets`.
        user: the id of who is known to send it.
    """

    __slots__ = ("address", "place", "user")

    def __init__(self, address: str | None = None, place: Callable[[], str | None] = lambda: None) -> None:
        self.address = address
        self.place = place
        self.user: str | None = None


_current: Final[ContextVar[Origin | None]] = ContextVar("mita_audit_origin", default=None)
_NOWHERE: Final = Origin()


def current() -> Origin:
    """Return the origin of the request being served; an empty one outside of a request."""
    return _current.get() or _NOWHERE


@contextmanager
def origin(found: Origin) -> Iterator[None]:
    """Let a request be the origin of what the block records."""
    token = _current.set(found)
    try:
        yield
    finally:
        _current.reset(token)


def acting(user: object) -> None:
    """Say who sends the request being served, once that is verified, to its log lines too.

    Outside of a request nothing happens.
    """
    identify_user(user)
    found = _current.get()
    if found is not None:
        found.user = str(user)
