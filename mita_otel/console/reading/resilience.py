"""What services bear: their breakers, rate limits, retries and timeouts, and what they serve less of."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from mita_otel.console.reading.figures import Figures, Tally, Value, by
from mita_otel.console.reading.told import Told, changes
from mita_otel.console.store.telling import Event

# Names as in `metrics.catalogue`, which a test compares: importing it takes longer than the console's start.
BREAKER_STATE: Final = "mita.circuit_breaker.state"
BREAKER_SECONDS: Final = "mita.circuit_breaker.state.duration"
BREAKER_CALLS: Final = "mita.circuit_breaker.calls"
BREAKER_WOULD_REJECT: Final = "mita.circuit_breaker.would_reject"
LIMIT_REQUESTS: Final = "mita.rate_limit.requests"
LIMIT_UTILIZATION: Final = "mita.rate_limit.utilization"
LIMIT_BACKEND: Final = "mita.rate_limit.backend.state"
LIMIT_REPLICAS: Final = "mita.rate_limit.replicas"
RETRY_CALLS: Final = "mita.retry.calls"
RETRY_ATTEMPTS: Final = "mita.retry.attempts"
RETRY_EXHAUSTED: Final = "mita.retry.exhausted"
RETRY_WAIT: Final = "mita.retry.wait"
RETRY_BUDGET: Final = "mita.retry.budget"
TIMEOUTS: Final = "mita.timeouts"
MODE: Final = "mita.degradation.active"
SERVED: Final = "mita.degradation.served"
FLAGS: Final = "mita.feature_flag.evaluations"

THINGS_LIMIT: Final = 200
"""Breakers, limits, dependencies, features and flags that are answered, each."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was told of; `causes` are ids of traces, in hexadecimal."""

    time: int
    before: str
    after: str
    reason: str
    trace: bytes
    causes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Breaker:
    """A circuit breaker: states by how many processes are in each now, calls by outcome, seconds by state."""

    service: str
    name: str
    states: Tally
    calls: Tally
    seconds: Tally
    would_reject: float
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Limit:
    """A rate limit: requests by what became of them, and the share of their quotas that 95 of 100 stayed below."""

    service: str
    policy: str
    requests: Tally
    utilization: float | None


@dataclass(frozen=True, slots=True)
class Backend:
    """What a service's rate limits are counted in: states by processes, and how many replicas are known at most."""

    service: str
    states: Tally
    replicas: float | None


@dataclass(frozen=True, slots=True)
class Retried:
    """Calls that may be tried again: attempts by outcome, exhausted by reason, seconds of waiting, budget left."""

    service: str
    dependency: str
    calls: float
    attempts: Tally
    exhausted: Tally
    waited: float
    budget: float | None

    @property
    def amplification(self) -> float | None:
        """How many attempts a call took; None without calls."""
        return sum(self.attempts.values()) / self.calls if self.calls else None


@dataclass(frozen=True, slots=True)
class Feature:
    """A feature that may be degraded: modes by how many processes served it so last, requests by mode."""

    service: str
    name: str
    modes: Tally
    served: Tally
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Flag:
    """A feature flag: evaluations by variant and by reason."""

    service: str
    key: str
    variants: Tally
    reasons: Tally


@dataclass(frozen=True, slots=True)
class Resilience:
    """All of it; `timeouts` by service and scope, `heard` when each service told of what stands now."""

    heard: dict[str, int]
    breakers: list[Breaker]
    limits: list[Limit]
    backends: list[Backend]
    retries: list[Retried]
    timeouts: dict[str, Tally]
    features: list[Feature]
    flags: list[Flag]


_Standing = dict[str, list[Value]]
"""Gauges' values that stand now, by the gauges' names."""


def resilience_of(connection: sqlite3.Connection, figures: Figures) -> Resilience:
    """Return what services bear now and counted in a stretch of time."""
    now = {name: figures.now(name) for name in (BREAKER_STATE, LIMIT_BACKEND, LIMIT_REPLICAS, RETRY_BUDGET, MODE)}
    heard: dict[str, int] = {}
    for value in chain.from_iterable(now.values()):
        heard[value.service] = max(heard.get(value.service, 0), value.time)
    return Resilience(
        heard=heard,
        breakers=list(_breakers(connection, figures, now))[:THINGS_LIMIT],
        limits=list(_limits(figures))[:THINGS_LIMIT],
        backends=list(_backends(now))[:THINGS_LIMIT],
        retries=list(_retries(figures, now))[:THINGS_LIMIT],
        timeouts={service: scopes for (service, _), scopes in by(figures.grown(TIMEOUTS), "", label="scope").items()},
        features=list(_features(connection, figures, now))[:THINGS_LIMIT],
        flags=list(_flags(figures))[:THINGS_LIMIT],
    )


def _breakers(connection: sqlite3.Connection, figures: Figures, now: _Standing) -> Iterator[Breaker]:
    told = _by_name(
        changes(connection, Event.BREAKER, figures.service),
        name="circuit_breaker.name",
        before="circuit_breaker.state.previous",
        after="circuit_breaker.state",
        reason="circuit_breaker.reason",
        causes="circuit_breaker.causes",
    )
    states = by(now[BREAKER_STATE], "service", label="state")
    calls = by(figures.grown(BREAKER_CALLS), "service", label="outcome")
    seconds = by(figures.grown(BREAKER_SECONDS), "service", label="state")
    would_reject = by(figures.grown(BREAKER_WOULD_REJECT), "service")
    for key in sorted({*states, *told}):
        yield Breaker(
            *key,
            states=_present(states.get(key, {})),
            calls=calls.get(key, {}),
            seconds=seconds.get(key, {}),
            would_reject=would_reject.get(key, {}).get("", 0.0),
            changes=told.get(key, []),
        )


def _limits(figures: Figures) -> Iterator[Limit]:
    requests = by(figures.grown(LIMIT_REQUESTS), "policy", label="result")
    used = figures.recorded(LIMIT_UTILIZATION, "policy")
    for key, results in sorted(requests.items()):
        yield Limit(*key, requests=results, utilization=used[key].quantile(0.95) if key in used else None)


def _backends(now: _Standing) -> Iterator[Backend]:
    replicas: dict[str, float] = {}
    for value in now[LIMIT_REPLICAS]:
        replicas[value.service] = max(replicas.get(value.service, 0.0), value.value)
    for (service, _), states in sorted(by(now[LIMIT_BACKEND], "", label="state").items()):
        yield Backend(service, _present(states), replicas.get(service))


def _retries(figures: Figures, now: _Standing) -> Iterator[Retried]:
    calls = by(figures.grown(RETRY_CALLS), "dependency")
    attempts = by(figures.grown(RETRY_ATTEMPTS), "dependency", label="outcome")
    exhausted = by(figures.grown(RETRY_EXHAUSTED), "dependency", label="reason")
    waited = by(figures.grown(RETRY_WAIT), "dependency")
    budget = by(now[RETRY_BUDGET], "dependency")
    for key in sorted({*calls, *attempts}):
        yield Retried(
            *key,
            calls=calls.get(key, {}).get("", 0.0),
            attempts=attempts.get(key, {}),
            exhausted=exhausted.get(key, {}),
            waited=waited.get(key, {}).get("", 0.0),
            budget=budget.get(key, {}).get(""),
        )


def _features(connection: sqlite3.Connection, figures: Figures, now: _Standing) -> Iterator[Feature]:
    told = _by_name(
        changes(connection, Event.DEGRADATION, figures.service),
        name="mita.degraded.feature",
        before="mita.degraded.previous_mode",
        after="mita.degraded.mode",
        reason="mita.degraded.cause",
    )
    modes = by(now[MODE], "feature", label="mode")
    served = by(figures.grown(SERVED), "feature", label="mode")
    for key in sorted({*modes, *told}):
        yield Feature(*key, modes=_present(modes.get(key, {})), served=served.get(key, {}), changes=told.get(key, []))


def _flags(figures: Figures) -> Iterator[Flag]:
    evaluations = list(figures.grown(FLAGS))
    reasons = by(evaluations, "key", label="reason")
    for key, variants in sorted(by(evaluations, "key", label="variant").items()):
        yield Flag(*key, variants=variants, reasons=reasons[key])


def _present(states: Tally) -> Tally:
    """Return the states of a one-hot gauge that some process is in."""
    return {state: processes for state, processes in states.items() if processes > 0}


def _by_name(
    told: list[Told], *, name: str, before: str, after: str, reason: str, causes: str = ""
) -> dict[tuple[str, str], list[Change]]:
    """Return changes by service and name, given the keys of the attributes that say what changed and how."""
    found: dict[tuple[str, str], list[Change]] = {}
    for each in told:
        change = Change(
            each.time, each.text(before), each.text(after), each.text(reason), each.trace, each.texts(causes)
        )
        found.setdefault((each.service, each.text(name)), []).append(change)
    return found
