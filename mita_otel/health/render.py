"""What who asks for the health of a process is told.

Source: observability report, sections 2.1 and 2.2; draft-inadarei-api-health-check-06.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from mita_otel.health.history import History, response_times
from mita_otel.health.levels import Level
from mita_otel.health.model import Result
from mita_otel.health.runner import Health

HEALTH_JSON: Final = "application/health+json"
PLAIN_JSON: Final = "application/json"

STATUS: Final[Mapping[Level, Literal["pass", "warn", "fail"]]] = {
    Level.HEALTHY: "pass",
    Level.DEGRADED: "warn",
    Level.CRITICAL: "fail",
    Level.UNHEALTHY: "fail",
}
"""The levels in the words of health+json."""

Breakers = Callable[[], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class About:
    """What only those who look after the service are told: its version, environment and circuit breakers."""

    service: str = ""
    version: str = ""
    environment: str = ""
    breakers: Breakers | None = None


def status_code(level: Level) -> int:
    """Return the status of an answer that tells of a level: 503 where the service does not work as it should."""
    return 503 if STATUS[level] == "fail" else 200


def production(health: Health, about: About, *, in_full: bool) -> dict[str, Any]:
    """Return how well the service and each component are; in full with every reading."""
    told: dict[str, Any] = {
        "status": health.level.value,
        "timestamp": moment(health.clock()),
        "checks": {result.check.name: _component(result, in_full=in_full) for result in health.results()},
    }
    if in_full:
        told |= {
            "service": about.service,
            "version": about.version,
            "environment": about.environment,
            "uptime_seconds": health.clock() - health.began_at,
            "ready": asdict(health.readiness),
        }
    return told


def comprehensive(health: Health, about: About, *, in_full: bool) -> dict[str, Any]:
    """Return what `production` does, response times and history."""
    told = production(health, about, in_full=in_full)
    told["history"] = _history(health.history)
    if not in_full:
        return told
    times = {
        name: response_times([entry.seconds for entry in history.entries]) for name, history in health.histories.items()
    }
    told["response_times"] = {name: asdict(each) for name, each in times.items() if each is not None}
    lasts = [each.last for each in times.values() if each is not None]
    told["average_response_time"] = sum(lasts) / len(lasts) if lasts else None
    told["components"] = {name: _history(history) for name, history in health.histories.items()}
    told["circuit_breakers"] = list(about.breakers()) if about.breakers is not None else []
    return told


def health_json(health: Health, about: About, *, in_full: bool) -> dict[str, Any]:
    """Return the health in the form of application/health+json."""
    told: dict[str, Any] = {"status": STATUS[health.level]}
    if in_full:
        told |= {
            "version": about.version.partition(".")[0],
            "releaseId": about.version,
            "serviceId": about.service,
            "checks": dict(pair for result in health.results() for pair in _measurements(result)),
        }
    return told


def moment(at: float) -> str:
    """Return seconds since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _component(result: Result, *, in_full: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"status": result.level.value}
    if in_full:
        told |= {
            "response_time_ms": result.seconds * 1000,
            "threshold_ms": result.check.slow * 1000,
            "checked_at": moment(result.at),
            "error": result.error,
            "last_failing_trace_id": result.trace_id,
            "readings": {
                reading.measurement: {
                    "value": reading.value,
                    "unit": reading.unit,
                    "status": reading.level.value,
                    "limit": reading.limit,
                }
                for reading in result.readings
            },
        }
    return told


def _history(history: History) -> dict[str, Any]:
    return {
        "checks": len(history.entries),
        "trend": history.trend,
        "alert_frequency": history.alert_frequency,
        "stability": history.stability,
    }


def _measurements(result: Result) -> list[tuple[str, list[dict[str, Any]]]]:
    about = {
        "componentId": result.check.name,
        "componentType": result.check.kind,
        "time": moment(result.at),
    }
    time_taken = {
        **about,
        "observedValue": result.seconds * 1000,
        "observedUnit": "ms",
        "status": STATUS[result.level],
        **({"output": result.error} if result.error else {}),
    }
    return [
        (f"{result.check.name}:responseTime", [time_taken]),
        *(
            (
                f"{result.check.name}:{reading.measurement}",
                [
                    {
                        **about,
                        "observedValue": reading.value,
                        "observedUnit": reading.unit,
                        "status": STATUS[reading.level],
                    }
                ],
            )
            for reading in result.readings
        ),
    ]
