"""What Prometheus is told of the health of a process."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from weakref import ref

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

from mita_otel.health.levels import SHARE, Level
from mita_otel.health.model import Result
from mita_otel.metrics.catalogue import health as catalogue
from mita_otel.metrics.recording import Distribution, Total

if TYPE_CHECKING:
    from mita_otel.health.runner import Health

METER: Final = "mita_otel.health"


@lru_cache(1)
def _recorders() -> tuple[Distribution, Total]:
    return Distribution(catalogue.CHECK_DURATION), Total(catalogue.CHECK_FAILURES, get_meter(METER))


def record(result: Result) -> None:
    """Record a look."""
    duration, failures = _recorders()
    duration.record(result.seconds, check=result.check.name)
    failures.add(int(result.level is Level.UNHEALTHY), check=result.check.name)


def observe(health: "Health") -> None:
    """Report the state at each collection, as long as it is there."""
    held = ref(health)

    def told(read: Callable[["Health"], Iterable[Observation]]) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def callback(_: CallbackOptions) -> Iterable[Observation]:
            there = held()
            return read(there) if there is not None else ()

        return callback

    meter = get_meter(METER)
    catalogue.STATUS.observe(meter, told(lambda health: [Observation(SHARE[health.level])]))
    catalogue.READY.observe(meter, told(lambda health: [Observation(int(health.readiness.is_ready))]))
    catalogue.SERVICE_HEALTH.observe(meter, told(_health))
    catalogue.SERVICE_RESPONSE_TIME.observe(meter, told(_response_times))
    catalogue.CHECK.observe(meter, told(_levels))


def _health(health: "Health") -> Iterable[Observation]:
    return [Observation(SHARE[result.level], {"service": result.check.name}) for result in health.results()]


def _response_times(health: "Health") -> Iterable[Observation]:
    return [Observation(result.seconds * 1000, {"service": result.check.name}) for result in health.results()]


def _levels(health: "Health") -> Iterable[Observation]:
    return [
        Observation(int(result.level is level), {"check": result.check.name, "status": level.value})
        for result in health.results()
        for level in Level
    ]
