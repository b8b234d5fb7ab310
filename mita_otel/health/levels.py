"""How well something is. Source: observability report, section 2.1."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """From all is well to it does not work at all."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    CRITICAL = "critical"
    UNHEALTHY = "unhealthy"


RANK: Final[Mapping[Level, int]] = {level: rank for rank, level in enumerate(Level)}
"""0 is the best."""

SHARE: Final[Mapping[Level, float]] = {
    Level.HEALTHY: 1.0,
    Level.DEGRADED: 0.66,
    Level.CRITICAL: 0.33,
    Level.UNHEALTHY: 0.0,
}
"""A level as the number between 0 and 1 that the report's gauges show."""


def worst(levels: Iterable[Level]) -> Level:
    """Return the worst of some levels; of none it is healthy."""
    return max(levels, key=RANK.__getitem__, default=Level.HEALTHY)


def overall(levels: Iterable[Level]) -> Level:
    """Return how well a service is, by how well its parts are.

    One part that is down makes it unhealthy, several critical ones critical, anything else that is not well degraded.

    Source: observability report, section 2.1: "critical: multiple critical issues; unhealthy: services down".
    """
    known = list(levels)
    if Level.UNHEALTHY in known:
        return Level.UNHEALTHY
    if known.count(Level.CRITICAL) > 1:
        return Level.CRITICAL
    return Level.HEALTHY if all(level is Level.HEALTHY for level in known) else Level.DEGRADED
