"""What becomes of one call: its attempts, and the waits between them, which are stamina's."""

import time
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from mita_otel.retries import attempts, telemetry
from mita_otel.retries.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from stamina import Attempt as StaminaAttempt

_clock: Final = time.monotonic


class Judge(Protocol):
    """Says what is to be done about a failure."""

    def judge(self, error: Exception, retries: int, elapsed: float) -> float | None:
        """Return the seconds to wait before the next attempt; None if there is none."""


class Attempt:
    """One attempt; a context manager. An exception that is to be tried again goes no further than its block.

    Attributes:
        number: 1 for the first.
    """

    __slots__ = ("_began", "_course", "_inner", "_token", "number")

    def __init__(self, course: "Course", number: int, inner: "StaminaAttempt | None" = None) -> None:
        self._course = course
        self._inner = inner
        self.number = number

    def __enter__(self) -> None:
        """Begin."""
        self._token: Token[int] = attempts.begin(self.number - 1)
        self._began = _clock()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        """End."""
        attempts.end(self._token)
        self._course.ended(error, _clock() - self._began)
        if self._inner is not None:
            return bool(self._inner.__exit__(kind, error, traceback))
        return isinstance(error, Exception) and self._course.decides_to_repeat(error)


class Course:
    """The attempts of one call. A first failure is judged here: to ask stamina costs far more than most calls.

    Args:
        judge: of failures.
        ledger: of the dependency.
        began: when, by `time.monotonic`.
    """

    __slots__ = (
        "_async",
        "_began",
        "_decided",
        "_failure",
        "_is_over",
        "_judge",
        "_retries",
        "_sync",
        "ledger",
        "wait",
    )

    def __init__(self, judge: Judge, ledger: Ledger, began: float) -> None:
        self._judge = judge
        self._began = began
        self._retries = 0
        self._decided: float | None = None
        self._failure: Exception | None = None
        self._is_over = True
        self._async: AsyncIterator[StaminaAttempt] | None = None
        self._sync: Iterator[StaminaAttempt] | None = None
        self.ledger = ledger
        self.wait: telemetry.Wait | None = None

    def beginning(self) -> Self:
        """Begin with a first attempt, which is a block's."""
        self.ledger.calls += 1
        self._is_over = False
        return self

    def failed(self, failure: Exception) -> None:
        """Begin after a first attempt; raise its failure unless it is to be tried again."""
        self.ledger.failures += 1
        if not self.decides_to_repeat(failure):
            raise failure

    def decides_to_repeat(self, failure: Exception) -> bool:
        """Say whether there is to be a second attempt."""
        self._decided = self._judge.judge(failure, 0, _clock() - self._began)
        self._failure = None if self._decided is None else failure
        return self._failure is not None

    def ended(self, error: BaseException | None, seconds: float) -> None:
        """Count an attempt."""
        if error is None:
            self.ledger.succeeded(seconds)
        elif isinstance(error, Exception):
            self.ledger.failures += 1
        else:
            self.ledger.cancelled += 1

    def __aiter__(self) -> Self:
        """Return itself: a course is run once."""
        return self

    __iter__ = __aiter__

    async def __anext__(self) -> Attempt:
        """Return the next attempt of a block."""
        if not self._is_over:
            self._is_over = True
            return Attempt(self, 1)
        if self._failure is None:
            raise StopAsyncIteration
        return await self.next_async()

    def __next__(self) -> Attempt:
        """Return the next attempt of a block."""
        if not self._is_over:
            self._is_over = True
            return Attempt(self, 1)
        if self._failure is None:
            raise StopIteration
        return self.next()

    async def next_async(self) -> Attempt:
        """Wait, and return the next attempt; raise the last one's failure if there is none."""
        token = telemetry.retrying.set(self)
        try:
            if self._async is None:
                self._async = aiter(self._stamina())
                self._repeat_failure(await anext(self._async))
            return self._next(await anext(self._async))
        finally:
            telemetry.retrying.reset(token)
            self._close_wait()

    def next(self) -> Attempt:
        """Do as `next_async`; the wait blocks the thread."""
        token = telemetry.retrying.set(self)
        try:
            if self._sync is None:
                self._sync = iter(self._stamina())
                self._repeat_failure(next(self._sync))
            return self._next(next(self._sync))
        finally:
            telemetry.retrying.reset(token)
            self._close_wait()

    def _stamina(self) -> Any:
        """Return stamina's attempts, whose class has no public name."""
        import stamina  # noqa: PLC0415 - has been imported, with the first `Retry`

        return stamina.retry_context(on=self._seconds, attempts=None, timeout=None)

    def _repeat_failure(self, first: "StaminaAttempt") -> None:
        """Tell stamina of the first attempt, which it has not seen."""
        failure = self._failure
        if failure is not None:
            with first:
                raise failure

    def _next(self, inner: "StaminaAttempt") -> Attempt:
        self.ledger.retries += 1
        return Attempt(self, inner.num, inner)

    def _close_wait(self) -> None:
        # A wait that is cancelled is one that stamina does not end.
        if self.wait is not None:
            self.wait.__exit__(None, None, None)
            self.wait = None

    def _seconds(self, error: Exception) -> float | bool:
        """Answer stamina: seconds to wait, or False to raise."""
        decided, self._decided = self._decided, None
        if decided is None:
            self._retries += 1
            decided = self._judge.judge(error, self._retries, _clock() - self._began)
        return False if decided is None else decided
