"""Calls that are tried again."""

import inspect
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from copy import copy
from functools import wraps
from typing import Any, Final, TypeVar, cast

from mita_otel.breakers import retry_after
from mita_otel.retries import telemetry
from mita_otel.retries.course import Course
from mita_otel.retries.deadline import OutOfTimeError, remaining
from mita_otel.retries.decision import Failure, Reason, judged
from mita_otel.retries.ledger import REGISTRY, Registry, Statistics
from mita_otel.retries.policy import Policy
from mita_otel.retries.transient import asked_to_wait, causes, is_idempotent, was_never_sent

T = TypeVar("T")
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

_clock: Final = time.monotonic


class Retry:
    """Tries calls to one dependency again where that may help, and no oftener than the dependency can bear.

        rates = Retry("rates")

        @rates
        async def euro() -> Decimal: ...

        await rates.call_async(function, 1, two=2)
        rates.call(function, 1)
        async for attempt in rates:         # or: for attempt in rates
            with attempt:
                ...
        await rates.for_request("POST", headers).call_async(send, ...)

    Only what does the same when it is done twice may be tried again: whoever decorates a function, calls it so or
    writes a block says that it does; `for_request` looks at the request. A breaker belongs inside, around each attempt:
    what it refuses is not tried again. When no attempt is left the last one's exception is raised as it is.

    Args:
        name: of the dependency: a lower-case letter, then at most 62 more, digits, `_.:-`.
        policy: its rules.
        registry: counts, and keeps the budget; the process's by default.
        draw: a number by chance, 0 to 1.

    Raises:
        ValueError: the name is not allowed, or it has another budget.
    """

    __slots__ = ("_draw", "_ledger", "_may_repeat", "_once", "name", "policy")

    def __init__(
        self,
        name: str,
        policy: Policy | None = None,
        *,
        registry: Registry | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.name = name
        self.policy = policy or Policy()
        self._draw = draw
        self._ledger = (REGISTRY if registry is None else registry).ledger(name, self.policy.budget)
        self._may_repeat = True
        # Imports stamina: here, and neither with the room nor when the first call fails.
        telemetry.install_hook()
        telemetry.observe_this_process()
        self._once = self
        once = copy(self)
        once._may_repeat, once._once = False, once  # noqa: SLF001 - it is one of us
        self._once = once

    @property
    def statistics(self) -> Statistics:
        """What was done for the dependency, whichever policy did it."""
        return self._ledger.statistics()

    def for_request(self, method: str, headers: Mapping[str, str] | None = None) -> "Retry":
        """Return the retries of an HTTP request: these, or where it is not idempotent those that never repeat it.

        A request that has certainly not left, as its connection could not be made, is tried again whatever it is.
        """
        return self if is_idempotent(method, headers) else self._once

    async def call_async(self, function: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> T:
        """Call a coroutine function and await it, until an attempt succeeds or none is left."""
        ledger = self._ledger
        ledger.calls += 1
        began = _clock()
        try:
            result = await function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whichever it is, it is judged, and raised if it is not tried again
            failure = error
        except BaseException:
            ledger.cancelled += 1
            raise
        else:
            ledger.succeeded(_clock() - began)
            return result
        course = Course(self, ledger, began)
        course.failed(failure)
        while True:
            with await course.next_async():
                return await function(*args, **kwargs)

    def call(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Call a function; as `call_async`. Its waits block the thread."""
        ledger = self._ledger
        ledger.calls += 1
        began = _clock()
        try:
            result = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - as above
            failure = error
        except BaseException:
            ledger.cancelled += 1
            raise
        else:
            ledger.succeeded(_clock() - began)
            return result
        course = Course(self, ledger, began)
        course.failed(failure)
        while True:
            with course.next():
                return function(*args, **kwargs)

    def __call__(self, function: FunctionT) -> FunctionT:
        """Decorate a function or a coroutine function.

        Raises:
            TypeError: it is a generator function: what it has yielded cannot be taken back.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{function.__qualname__} is a generator function: retry the calls that it makes")
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def repeated_async(*args: Any, **kwargs: Any) -> Any:
                return await self.call_async(function, *args, **kwargs)

            return cast("FunctionT", repeated_async)

        @wraps(function)
        def repeated(*args: Any, **kwargs: Any) -> Any:
            return self.call(function, *args, **kwargs)

        return cast("FunctionT", repeated)

    def __aiter__(self) -> "Course":
        """Return attempts, each to be used in a `with` statement, until one ends well."""
        return Course(self, self._ledger, _clock()).beginning()

    __iter__ = __aiter__
    """As `__aiter__`. Waits block the thread."""

    def judge(self, error: Exception, retries: int, elapsed: float) -> float | None:
        """Return the seconds to wait before the next attempt; None, told and counted, if there is none."""
        if any(isinstance(each, OutOfTimeError) for each in causes(error)):
            verdict: float | Reason = Reason.TIMEOUT
        else:
            is_refused = retry_after(error) is not None
            if not is_refused and not self._may_pass(error):
                return None
            failure = Failure(
                retries=retries,
                elapsed=elapsed,
                left=remaining(),
                typical=self._ledger.typical or 0.0,
                may_repeat=self._may_repeat or was_never_sent(error),
                is_refused=is_refused,
                asked_to_wait=asked_to_wait(error) or 0.0,
            )
            verdict = judged(self.policy, failure, self._draw())
            if not isinstance(verdict, Reason) and not self._ledger.buys_retry():
                verdict = Reason.BUDGET
        if isinstance(verdict, Reason):
            telemetry.exhausted(self._ledger, verdict, error, retries)
            return None
        return verdict

    def _may_pass(self, error: Exception) -> bool:
        try:
            return bool(self.policy.judge(error))
        except Exception:  # noqa: BLE001 - a judge must not hide what the call has failed with
            telemetry.GUARD.report("the judge of a policy")
            return False
