"""Whether the circuit breakers of the process let calls through."""

from collections.abc import Sequence

from mita_otel.breakers import REGISTRY, Registry, State
from mita_otel.health.levels import Level
from mita_otel.health.model import Check, Reading

_LEVELS = {State.OPEN: Level.DEGRADED, State.HALF_OPEN: Level.DEGRADED, State.FORCED_OPEN: Level.DEGRADED}


def breakers(registry: Registry = REGISTRY, *, name: str = "circuit_breakers") -> Check:
    """Return the check of circuit breakers: one that is not closed degrades the service and never stops it.

    Args:
        registry: the breakers; by default the process's.
        name: of the component.
    """

    async def look() -> Sequence[Reading]:
        found = (breaker.ledger for breaker in registry)
        return [Reading(each.name, each.state.value, level=_LEVELS.get(each.state, Level.HEALTHY)) for each in found]

    return Check(name, look)
