"""The breaker itself: the shapes of a call, for functions and coroutines alike."""

import inspect
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import wraps
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar, cast

from mita_otel.breakers.coordination import Coordination
from mita_otel.breakers.machine import Permit
from mita_otel.breakers.policy import Policy
from mita_otel.breakers.registry import REGISTRY, Registry
from mita_otel.breakers.switch import Switch

T = TypeVar("T")
FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


class _Entry(NamedTuple):
    """A `with` block that is being run, and the one around it."""

    breaker: "CircuitBreaker"
    permit: Permit
    started: float
    outer: "_Entry | None"


_entered: ContextVar[_Entry | None] = ContextVar("mita_breakers_entered", default=None)


class CircuitBreaker(Switch):
    """Lets calls to one dependency through as long as it works, and refuses them while it does not.

        openai = CircuitBreaker("openai", OPENAI.policy)

        @openai
        async def complete(prompt: str) -> str: ...

        openai.call(function, 1, two=2)
        await openai.call_async(coroutine_function, 1)
        with openai: ...            # or: async with openai: ...

    Threads and event loops may share it. No lock is held while a call runs. A call that ends by something that is no
    `Exception`, such as a cancelled one, counts as nothing; a `TimeoutError` is a failure, so a time limit belongs
    inside the breaker.

    Args:
        name: of the dependency, unique in the registry: a lower-case letter, then at most 62 more, digits, `_.:-`.
        policy: when it opens and closes.
        registry: makes it visible; the process's by default.
        shared: shares the state with other processes; by default it is this process's alone.
        clock: seconds that only grow.
        draw: a number by chance, 0 to 1.
        meter: records the durations of the calls; the global one by default.

    Raises:
        ValueError: the name is not allowed, or there is a breaker of that name.
    """

    __slots__ = ()

    @classmethod
    def named(
        cls,
        name: str,
        policy: Policy | None = None,
        *,
        registry: Registry | None = None,
        shared: Coordination | None = None,
    ) -> "CircuitBreaker":
        """Return the breaker of a name, made if there is none: for those who call one dependency from several places.

        Raises:
            ValueError: the name is not allowed, or its breaker has another policy.
        """
        policy = policy or Policy()
        known = (REGISTRY if registry is None else registry).get(name)
        if known is None:
            return cls(name, policy, registry=registry, shared=shared)
        if not isinstance(known, cls) or known.policy != policy:
            raise ValueError(f"name={name!r} is not allowed: there is a breaker of that name with another policy")
        return known

    def call(self, function: Callable[..., T], /, *args: Any, **kwargs: Any) -> T:
        """Call a function.

        Raises:
            CircuitOpenError: the call was not made.
        """
        permit = self._door or self._ask()
        started = self._clock()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            self._raised(permit, started, error)
            raise
        self._returned(permit, started, result)
        return result

    async def call_async(self, function: Callable[..., Awaitable[T]], /, *args: Any, **kwargs: Any) -> T:
        """Call a coroutine function and await it; as `call`."""
        permit = self._door or self._ask()
        started = self._clock()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            self._raised(permit, started, error)
            raise
        self._returned(permit, started, result)
        return result

    def __call__(self, function: FunctionT) -> FunctionT:
        """Decorate a function or a coroutine function.

        Raises:
            TypeError: it is a generator function, whose call returns before anything has happened.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{function.__qualname__} is a generator function: guard the calls that it makes, by `with`"
            )
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def guarded_async(*args: Any, **kwargs: Any) -> Any:
                return await self.call_async(function, *args, **kwargs)

            return cast("FunctionT", guarded_async)

        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            return self.call(function, *args, **kwargs)

        return cast("FunctionT", guarded)

    def __enter__(self) -> Self:
        """Begin a call; raises `CircuitOpenError` instead if it is not to be made."""
        permit = self._door or self._ask()
        _entered.set(_Entry(self, permit, self._clock(), _entered.get()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the call."""
        entry = _entered.get()
        while entry is not None and entry.breaker is not self:
            entry = entry.outer  # was left in another context than it was entered in, as in a fixture
        if entry is None:  # as above, this one; the lease of a probe runs out by itself
            return
        _entered.set(entry.outer)
        if error is None:
            self._returned(entry.permit, entry.started, None)
        else:
            self._raised(entry.permit, entry.started, error)

    async def __aenter__(self) -> Self:
        """Begin a call, as `with` does; nothing is waited for."""
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the call."""
        self.__exit__(kind, error, traceback)
