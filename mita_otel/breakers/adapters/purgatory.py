"""purgatory: failures and changes of state; its hooks are told neither of successes nor of refused calls."""

import re
from collections.abc import Mapping
from typing import Any, Final

import purgatory
from opentelemetry.metrics import Meter

from mita_otel.breakers.adapters.watched import Watched
from mita_otel.breakers.registry import Registry
from mita_otel.breakers.states import Outcome, State

_STATES: Final[Mapping[str, State]] = {
    "closed": State.CLOSED,
    "opened": State.OPEN,
    "half-opened": State.HALF_OPEN,
}


def watch(
    factory: "purgatory.AsyncCircuitBreakerFactory | purgatory.SyncCircuitBreakerFactory",
    *,
    registry: Registry | None = None,
    meter: Meter | None = None,
) -> Mapping[str, Watched]:
    """Tell of every breaker that a factory makes from now on, under its name in small letters.

    Returns:
        Those that it has made, by the name that purgatory knows; it grows.
    """
    made: dict[str, Watched] = {}

    def hook(name: str, kind: str, event: Any) -> None:
        if name not in made:
            made[name] = Watched(re.sub("[^a-z0-9_.:-]", "_", name.lower()), registry, meter)
        if kind == "failed":
            made[name].ended(Outcome.FAILURE)
        elif kind == "state_changed":
            made[name].moved(_STATES[event.state])

    factory.add_listener(hook)
    return made
