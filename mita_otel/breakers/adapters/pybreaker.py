"""pybreaker: calls that succeed and fail, and changes of state; its listeners are not told of refused calls."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import pybreaker
from opentelemetry.metrics import Meter

from mita_otel.breakers.adapters.watched import CallWatch, Watched
from mita_otel.breakers.registry import Registry
from mita_otel.breakers.states import Outcome, State

_STATES: Final[Mapping[str, State]] = {
    pybreaker.STATE_CLOSED: State.CLOSED,
    pybreaker.STATE_OPEN: State.OPEN,
    pybreaker.STATE_HALF_OPEN: State.HALF_OPEN,
}


class _Listener(pybreaker.CircuitBreakerListener):
    def __init__(self, watched: Watched) -> None:
        self._calls = CallWatch(watched)

    def before_call(self, cb: Any, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - its signature
        self._calls.begin()

    def success(self, cb: Any) -> None:  # noqa: ARG002 - as above
        self._calls.end(Outcome.SUCCESS)

    def failure(self, cb: Any, exc: BaseException) -> None:  # noqa: ARG002 - as above
        self._calls.end(Outcome.FAILURE)

    def state_change(self, cb: Any, old_state: Any, new_state: Any) -> None:  # noqa: ARG002 - as above
        self._calls.watched.moved(_STATES[new_state.name])


def watch(
    breaker: pybreaker.CircuitBreaker, name: str, *, registry: Registry | None = None, meter: Meter | None = None
) -> Watched:
    """Tell of a breaker of pybreaker under a name.

    Raises:
        ValueError: the name is not allowed, or taken.
    """
    watched = Watched(name, registry, meter)
    watched.moved(_STATES[breaker.current_state])
    breaker.add_listener(_Listener(watched))
    return watched
