"""Until when what is being done is still of use: known to everything that runs for it, however deep.

A deadline is inherited by the tasks and threads that a request starts. Those within it only shrink: whoever allows
itself less time than is left gets that, and whoever allows itself more gets what is left.
"""

import asyncio
import time
from contextvars import ContextVar, Token
from functools import lru_cache
from math import inf
from types import TracebackType
from typing import Final, Literal, Self, TypeAlias

from opentelemetry.metrics import get_meter_provider

from mita_otel.errors import DeadlineExceededError
from mita_otel.metrics import timeouts

Scope: TypeAlias = Literal["request", "database", "cache", "external"]
"""What was waited for, as `mita_timeouts_total` tells it."""

RESERVE: Final = 0.05
"""Seconds that a request keeps to itself: its calls end a moment before its time does, so that there is an answer."""

RESERVED_SHARE: Final = 0.1
"""Of a request's time, where that is less than `RESERVE`."""

EARLY: Final = 0.001
"""Seconds: uvloop's clock counts milliseconds."""


class OutOfTimeError(DeadlineExceededError, TimeoutError):
    """The deadline has passed, or passed while something was waited for: it is not the dependency that was slow.

    Attributes:
        scope: what was waited for, or about to be.
        orig: what a database's driver has raised, where a server has kept to the deadline.
    """

    def __init__(self, scope: Scope, orig: BaseException | None = None) -> None:
        """Take what was waited for."""
        super().__init__("the time that this request had is used up")
        self.scope = scope
        self.orig = orig

    def __reduce__(self) -> "tuple[type[OutOfTimeError], tuple[Scope]]":
        """Let the exception cross processes."""
        return type(self), (self.scope,)


class Deadline:
    """A point in time, and the one that it lies within.

    The clock is `time.monotonic`: setting the machine's date moves no deadline.

    Args:
        seconds: from now, 0 and above.
        outer: what it lies within.
        reserve: seconds at its end that are not for calls.
    """

    __slots__ = ("_has_interrupted", "_outer", "_own", "at")

    def __init__(self, seconds: float, outer: "Deadline | None" = None, reserve: float = 0.0) -> None:
        self.at = time.monotonic() + seconds
        self._own = self.at - reserve
        self._outer = outer
        self._has_interrupted = False

    @property
    def spend_by(self) -> float:
        """When the last call has to be over, by `time.monotonic`; `inf` if it was lifted."""
        outer = self._outer
        return self._own if outer is None else min(self._own, outer.spend_by)

    def expire(self) -> None:
        """Leave no time: a server that keeps to the deadline has found that it has passed, by its own clock."""
        outer, own = self._outer, self._own
        if outer is not None and outer.spend_by < own:
            outer.expire()
        else:
            self._own = min(own, time.monotonic())

    @property
    def has_interrupted(self) -> bool:
        """Whether what was under way is cancelled because this deadline, or one around it, has passed."""
        return self._has_interrupted or (self._outer is not None and self._outer.has_interrupted)

    def interrupt(self) -> None:
        """Tell those who are about to be cancelled why: that they took too long is for them to count."""
        self._has_interrupted = True

    def lift(self) -> None:
        """Give all the time there is: the answer has begun, and what else is done for it has no hurry."""
        self._own = self.at = inf


_current: ContextVar[Deadline | None] = ContextVar("mita_deadline", default=None)

current: Final = _current.get
"""Return the deadline of what is being done, or None."""

begin: Final = _current.set
"""Put a deadline, or None, in the place of the current one; hand the token to `restore`."""


def restore(token: Token[Deadline | None]) -> None:
    """Go back to the deadline before `begin`."""
    _current.reset(token)


def remaining() -> float:
    """Return the seconds that are left for calls: `inf` without a deadline, 0 and less once it has passed."""
    deadline = _current.get()
    return inf if deadline is None else deadline.spend_by - time.monotonic()


def has_passed() -> bool:
    """Say whether no time is left, or less than an event loop's clock may be early."""
    return remaining() <= EARLY


def is_late(error: BaseException) -> bool:
    """Say whether a wait was cancelled as its time was over, which the exception itself does not tell."""
    return isinstance(error, asyncio.CancelledError) and has_passed()


def is_interrupted(error: BaseException) -> bool:
    """Say whether a wait was cancelled by a `Deadline`, which leaves the counting to whoever waited.

    A `TimeLimit` does count what it ends.
    """
    if not isinstance(error, asyncio.CancelledError):
        return False
    deadline = _current.get()
    return deadline is not None and deadline.has_interrupted


def check(scope: Scope = "external") -> None:
    """Raise if no time is left: what is about to begin would be of use to no one.

    Raises:
        OutOfTimeError: the deadline has passed.
    """
    if remaining() <= 0:
        count(scope)
        raise OutOfTimeError(scope)


def reserve_of(seconds: float) -> float:
    """Return what a request of so many seconds keeps to itself."""
    return min(RESERVE, seconds * RESERVED_SHARE)


def count(scope: Scope) -> None:
    """Count a wait that was given up, where nobody else does."""
    _counter(get_meter_provider()).add(scope=scope)


_counter: Final = lru_cache(1)(timeouts.counter)


class TimeLimit:
    """Allows a block so much time, or what is left if that is less.

        async with TimeLimit(2.0): ...      # ends the block in time
        with TimeLimit(2.0): ...            # only tells the clients within, for threads

    A block that is ended raises `TimeoutError` if it has used its own seconds up, `OutOfTimeError` if it was the
    deadline around it. Clients within know of the limit, and pass it on. One object serves one block at a time.

    Args:
        seconds: more than 0; None for whatever is left.
        scope: what is waited for.

    Raises:
        ValueError: `seconds` is no such number.
        OutOfTimeError: on entering it, as nothing is left.
    """

    __slots__ = ("_ends_at", "_is_own", "_limit", "_scope", "_seconds", "_token")

    def __init__(self, seconds: float | None = None, *, scope: Scope = "external") -> None:
        if seconds is not None and not 0 < seconds < inf:
            raise ValueError(f"seconds={seconds!r} is not allowed: a number above 0, or None")
        self._seconds = inf if seconds is None else seconds
        self._scope: Scope = scope
        self._limit: asyncio.Timeout | None = None
        self._token: Token[Deadline | None] | None = None

    def __enter__(self) -> Self:
        """Let everything within know of the limit."""
        left = remaining()
        if left <= 0:
            count(self._scope)
            raise OutOfTimeError(self._scope)
        self._is_own = self._seconds <= left
        if self._is_own and self._seconds < inf:
            self._token = _current.set(Deadline(self._seconds, _current.get()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Go back to what was allowed before."""
        if self._token is not None:
            _current.reset(self._token)
            self._token = None

    async def __aenter__(self) -> Self:
        """Begin, and end the block once the time is over."""
        self.__enter__()
        seconds = self._seconds if self._is_own else remaining()
        if seconds < inf:
            self._limit = asyncio.timeout(seconds)
            await self._limit.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End, and say why if that was because of the time."""
        self.__exit__(kind, error, traceback)
        limit, self._limit = self._limit, None
        if limit is None:
            return
        try:
            await limit.__aexit__(kind, error, traceback)
        except TimeoutError as ended:
            count(self._scope)
            if self._is_own:
                raise
            raise OutOfTimeError(self._scope) from ended
