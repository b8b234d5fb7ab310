"""What is checked, and what a check found."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from mita_otel.health.levels import Level

ComponentType = Literal["component", "datastore", "system"]
Value = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that a check measured.

    Attributes:
        measurement: its name, such as `connections`; a standard one of health+json where there is one.
        value: what it was.
        unit: of the value, or nothing.
        level: what the value means.
        limit: the threshold that the value is compared with, in its unit; None where there is none.
    """

    measurement: str
    value: Value
    unit: str = ""
    level: Level = Level.HEALTHY
    limit: float | None = None


def above(measurement: str, value: float, limit: float, unit: str = "", level: Level = Level.DEGRADED) -> Reading:
    """Return a reading that is `level` when its value is above the limit."""
    return Reading(measurement, value, unit, level if value > limit else Level.HEALTHY, limit)


def below(measurement: str, value: float, limit: float, unit: str = "", level: Level = Level.DEGRADED) -> Reading:
    """Return a reading that is `level` when its value is below the limit."""
    return Reading(measurement, value, unit, level if value < limit else Level.HEALTHY, limit)


@dataclass(frozen=True, slots=True)
class Check:
    """Something that is looked at every few seconds.

    Attributes:
        name: of the component, unique in a service.
        look: measures it; raises whatever it likes when it does not work.
        kind: what it is.
        slow: seconds above which an answer is slow, and the component degraded.
        timeout: seconds after which there is no answer; above `slow`, or nothing could ever be slow.
        is_vital: whether the service is of no use without it.
        is_shared: whether all replicas depend on the same one: if it fails, taking this replica out helps nobody.

    Raises:
        ValueError: the timeout is not above the threshold, or one of them not above 0.
    """

    name: str
    look: Callable[[], Awaitable[Sequence[Reading]]]
    kind: ComponentType = "component"
    slow: float = 1.0
    timeout: float = 3.0
    is_vital: bool = False
    is_shared: bool = False

    def __post_init__(self) -> None:
        """Refuse what could never be told."""
        if not 0 < self.slow < self.timeout:
            raise ValueError(f"{self.name}: timeout={self.timeout} must be above slow={self.slow}, and that above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one look found.

    Attributes:
        level: the worst of its readings, or unhealthy where there are none.
        seconds: that it took.
        at: when, in seconds since the epoch.
        error: name of the exception's class, where it failed; its message may say too much.
        trace_id: of the span that tells of the failure.
    """

    check: Check
    level: Level
    seconds: float
    at: float
    readings: Sequence[Reading] = ()
    error: str = ""
    trace_id: str = ""
