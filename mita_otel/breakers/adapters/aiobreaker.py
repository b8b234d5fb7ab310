"""aiobreaker: calls that succeed and fail, and changes of state; its listeners are not told of refused calls."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import aiobreaker
from aiobreaker.state import CircuitBreakerState
from opentelemetry.metrics import Meter

from mita_otel.breakers.adapters.watched import CallWatch, Watched
from mita_otel.breakers.registry import Registry
from mita_otel.breakers.states import Outcome, State

_STATES: Final[Mapping[Any, State]] = {
    CircuitBreakerState.CLOSED: State.CLOSED,
    CircuitBreakerState.OPEN: State.OPEN,
    CircuitBreakerState.HALF_OPEN: State.HALF_OPEN,
}


class _Listener(aiobreaker.CircuitBreakerListener):  # type: ignore[misc] # the library has no types
    def __init__(self, watched: Watched) -> None:
        self._calls = CallWatch(watched)

    def before_call(self, breaker: Any, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - its signature
        self._calls.begin()

    def success(self, breaker: Any) -> None:  # noqa: ARG002 - as above
        self._calls.end(Outcome.SUCCESS)

    def failure(self, breaker: Any, exception: Exception) -> None:  # noqa: ARG002 - as above
        self._calls.end(Outcome.FAILURE)

    def state_change(self, breaker: Any, old: Any, new: Any) -> None:  # noqa: ARG002 - as above
        self._calls.watched.moved(_STATES[new.state])


def watch(
    breaker: aiobreaker.CircuitBreaker, name: str, *, registry: Registry | None = None, meter: Meter | None = None
) -> Watched:
    """Tell of a breaker of aiobreaker under a name.

    Raises:
        ValueError: the name is not allowed, or taken.
    """
    watched = Watched(name, registry, meter)
    watched.moved(_STATES[breaker.current_state])
    breaker.add_listener(_Listener(watched))
    return watched
