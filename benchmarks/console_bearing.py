"""What busy services tell of what they bear and promise: an hour of breakers, retries, checks, objectives, changes."""

from collections.abc import Iterator
from typing import Any, Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

SECOND: Final = 1_000_000_000
THINGS: Final = 8
"""Breakers, limits, dependencies, features and checks of a service, each."""
GROUPS: Final = 150
"""Groups of errors."""
OBJECTIVES: Final = 31
"""Objectives of a service, as many as the reference service has."""
CONTRIBUTORS: Final = 12
"""What spends the budget of an objective, in each of some dimensions."""

_DIMENSIONS: Final = ("route", "error_type", "dependency")
_LEDGERS: Final = 5
"""The last digit of those objectives that have a ledger."""

_STATES: Final = ("closed", "open", "half_open", "forced_open", "disabled", "metrics_only")
_OUTCOMES: Final = ("success", "failure", "slow_success", "slow_failure", "rejected", "ignored")
_LEVELS: Final = ("healthy", "degraded", "critical", "unhealthy")
_MODES: Final = ("full", "cached", "generic", "off")
_ONE_HOT: Final[tuple[tuple[str, str, str, tuple[str, ...]], ...]] = (
    ("mita.circuit_breaker.state", "service", "state", _STATES),
    ("mita.health.check", "check", "status", _LEVELS),
    ("mita.degradation.active", "feature", "mode", _MODES),
)
_COUNTERS: Final[tuple[tuple[str, str, str, tuple[str, ...]], ...]] = (
    ("mita.circuit_breaker.calls", "service", "outcome", _OUTCOMES),
    ("mita.circuit_breaker.state.duration", "service", "state", _STATES),
    ("mita.rate_limit.requests", "policy", "result", ("allowed", "blocked", "fallback_allowed", "fallback_blocked")),
    ("mita.retry.calls", "dependency", "", ("",)),
    ("mita.retry.attempts", "dependency", "outcome", ("success", "failure", "cancelled")),
    ("mita.retry.exhausted", "dependency", "reason", ("attempts", "timeout", "budget", "circuit_open")),
    ("mita.degradation.served", "feature", "mode", _MODES),
)


def _pairs(**attributes: str) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in attributes.items() if key]


def measure(group: Any, tick: int, at: int, start: int) -> None:
    """Add what is measured at one time to the metrics of a service; times in nanoseconds."""
    about = {"start_time_unix_nano": start, "time_unix_nano": at}
    for name, thing, label, values in _ONE_HOT:
        points = group.metrics.add(name=name).gauge.data_points
        for number in range(THINGS):
            for place, value in enumerate(values):
                labels = _pairs(**{thing: f"{thing}-{number}", label: value})
                points.add(**about, attributes=labels, as_int=int(place == (tick // 30 + number) % 2))
    for name, thing, label, values in _COUNTERS:
        counted = group.metrics.add(name=name).sum
        counted.aggregation_temporality, counted.is_monotonic = 2, True
        for number in range(THINGS):
            for value in values:
                labels = _pairs(**{thing: f"{thing}-{number}", label: value})
                counted.data_points.add(**about, attributes=labels, as_int=tick * (number + 1))
    _promise(group, tick, about)
    group.metrics.add(name="mita.health.status").gauge.data_points.add(**about, as_double=0.66)
    group.metrics.add(name="mita.health.ready").gauge.data_points.add(**about, as_int=1)


def _promise(group: Any, tick: int, about: dict[str, int]) -> None:
    """Add what is promised, and what was kept of it."""
    objective, info = (group.metrics.add(name=f"mita.slo.{name}").gauge.data_points for name in ("objective", "info"))
    events, spent = (group.metrics.add(name=f"mita.slo.{name}").sum for name in ("events", "spent"))
    for counted in (events, spent):
        counted.aggregation_temporality, counted.is_monotonic = 2, True
    for number in range(OBJECTIVES):
        slo = f"objective-{number}"
        objective.add(**about, attributes=_pairs(slo=slo), as_double=0.99)
        told = _pairs(slo=slo, title=slo, part="part", owner="owner", tier="1", type="availability", period="30d")
        info.add(**about, attributes=told, as_int=1)
        for outcome, many in (("good", 40), ("bad", number % 3)):
            events.data_points.add(**about, attributes=_pairs(slo=slo, outcome=outcome), as_int=tick * many)
        for dimension in _DIMENSIONS if number % 10 == _LEDGERS else ():
            for place in range(CONTRIBUTORS):
                labels = _pairs(slo=slo, dimension=dimension, contributor=f"{dimension}-{place}")
                spent.data_points.add(**about, attributes=labels, as_int=tick * (place == 0))


def changes(group: Any, tick: int, at: int) -> None:
    """Add the log records of the changes at one time to those of a service."""
    for number in range(THINGS):
        if (tick + number) % 30 == 0:
            before, after = ("closed", "open") if tick // 30 % 2 else ("open", "closed")
            for told in _told(number, before, after):
                group.log_records.add(time_unix_nano=at, severity_number=13, attributes=_pairs(**told))  # type: ignore[arg-type, unused-ignore]


def _told(number: int, before: str, after: str) -> Iterator[dict[str, str]]:
    yield {
        "event.name": "mita.circuit_breaker.state_change",
        "circuit_breaker.name": f"service-{number}",
        "circuit_breaker.state": after,
        "circuit_breaker.state.previous": before,
    }
    yield {
        "event.name": "mita.health.change",
        "mita.health.check": f"check-{number}",
        "mita.health.status": "unhealthy" if after == "open" else "healthy",
    }
    yield {
        "event.name": "mita.degradation.change",
        "mita.degraded.feature": f"feature-{number}",
        "mita.degraded.mode": "cached" if after == "open" else "full",
    }


def failure(number: int) -> list[KeyValue]:
    """Return the attributes of an error's log record."""
    return _pairs(
        **{
            "mita.error.fingerprint": f"{number % GROUPS:016x}",
            "mita.error.category": "database",
            "mita.error.severity": "high",
            "mita.error.code": "DATABASE_5001",
            "error.type": "OperationalError",
        }
    )
