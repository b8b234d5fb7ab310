"""What services bear, how well they are and their errors, shape by shape."""

import time

import pytest

from tests.fixtures.console_figures import Measured, counter, gauge, histogram, one_hot
from tests.fixtures.console_file import AT, SECOND, ConsoleFile, Line, logs, metrics
from tests.integration.console.api.conftest import Ask

TRACE = f"{7:032x}"


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be a second after AT."""
    monkeypatch.setattr(time, "time_ns", lambda: (AT + SECOND) * 1000)


def counted(value: float, **labels: str) -> Measured:
    return Measured(value, start=-60, labels={name.rstrip("_"): text for name, text in labels.items()})


def test_what_services_bear(file: ConsoleFile, ask: Ask) -> None:
    opened = {
        "event.name": "mita.circuit_breaker.state_change",
        "circuit_breaker.name": "bank",
        "circuit_breaker.state": "open",
        "circuit_breaker.state.previous": "closed",
        "circuit_breaker.reason": "failures",
        "circuit_breaker.causes": [TRACE],
    }
    degraded = {
        "event.name": "mita.degradation.change",
        "mita.degraded.feature": "tips",
        "mita.degraded.mode": "cached",
        "mita.degraded.previous_mode": "full",
        "mita.degraded.cause": "circuit_open",
    }
    file.send(
        metrics(
            "shop",
            one_hot("mita.circuit_breaker.state", "state", "open", "closed", service="bank"),
            counter("mita.circuit_breaker.calls", counted(3, service="bank", outcome="failure")),
            counter("mita.circuit_breaker.state.duration", counted(9.5, service="bank", state="open")),
            counter("mita.rate_limit.requests", counted(2, policy="api", result="blocked")),
            histogram("mita.rate_limit.utilization", (counted(0, policy="api"), [0, 4]), bounds=[1.0]),
            one_hot("mita.rate_limit.backend.state", "state", "up", "down", "local"),
            gauge("mita.rate_limit.replicas", Measured(2)),
            counter("mita.retry.calls", counted(4, dependency="rates")),
            counter("mita.retry.attempts", counted(6, dependency="rates", outcome="failure")),
            counter("mita.retry.exhausted", counted(1, dependency="rates", reason="budget")),
            counter("mita.timeouts", counted(1, scope="cache")),
            one_hot("mita.degradation.active", "mode", "cached", "full", feature="tips"),
            counter("mita.feature_flag.evaluations", counted(3, key="tips", variant="on", reason="static")),
            counter("mita.degradation.served", counted(5, feature="tips", mode="cached", cause="circuit_open")),
        ),
        logs("shop", Line("opened", trace=7, attributes=opened), Line("tips is cached", attributes=degraded)),
    )
    change = {"time": AT, "before": "closed", "after": "open", "reason": "failures"}
    assert ask("/api/console/resilience", service="shop", window="15m") == {
        "heard": {"shop": AT},
        "breakers": [
            {
                "service": "shop",
                "name": "bank",
                "states": {"open": 1.0},
                "calls": {"failure": 3.0},
                "seconds": {"open": 9.5},
                "would_reject": 0.0,
                "changes": [{**change, "trace_id": TRACE, "causes": [TRACE]}],
            }
        ],
        "limits": [{"service": "shop", "policy": "api", "requests": {"blocked": 2.0}, "utilization": 1.0}],
        "backends": [{"service": "shop", "states": {"up": 1.0}, "replicas": 2.0}],
        "retries": [
            {
                "service": "shop",
                "dependency": "rates",
                "calls": 4.0,
                "attempts": {"failure": 6.0},
                "amplification": 1.5,
                "exhausted": {"budget": 1.0},
                "waited": 0.0,
                "budget": None,
            }
        ],
        "timeouts": [{"service": "shop", "scopes": {"cache": 1.0}}],
        "features": [
            {
                "service": "shop",
                "name": "tips",
                "modes": {"cached": 1.0},
                "served": {"cached": 5.0},
                "changes": [
                    {
                        "time": AT,
                        "before": "full",
                        "after": "cached",
                        "reason": "circuit_open",
                        "trace_id": None,
                        "causes": [],
                    }
                ],
            }
        ],
        "flags": [{"service": "shop", "key": "tips", "variants": {"on": 3.0}, "reasons": {"static": 3.0}}],
    }
    assert ask("/api/console/resilience", service="nobody")["breakers"] == []


def test_how_well_services_are(file: ConsoleFile, ask: Ask) -> None:
    failed = {
        "event.name": "mita.health.change",
        "mita.health.check": "redis",
        "mita.health.status": "unhealthy",
        "mita.health.previous_status": "healthy",
        "mita.health.trace_id": TRACE,
        "error.type": "ConnectionError",
    }
    file.send(
        metrics(
            "shop",
            gauge("mita.health.status", Measured(0)),
            gauge("mita.health.ready", Measured(1)),
            one_hot("mita.health.check", "status", "unhealthy", "healthy", check="redis"),
            gauge("mita.service.response_time_ms", Measured(2000, labels={"service": "redis"})),
            counter("mita.health.check.failures", counted(2, check="redis")),
        ),
        logs("shop", Line("redis is unhealthy", attributes=failed)),
    )
    (change,) = [
        {"time": AT, "before": "healthy", "after": "unhealthy", "reason": "ConnectionError", "trace_id": TRACE}
    ]
    check = {
        "name": "redis",
        "levels": {"unhealthy": 1.0},
        "response_ms": 2000.0,
        "failures": 2.0,
        "changes": [change],
    }
    assert ask("/api/console/health") == {
        "services": [
            {"name": "shop", "heard": AT, "levels": {"unhealthy": 1.0}, "ready": {"ready": 1.0}, "checks": [check]}
        ]
    }


def test_errors_come_in_groups(file: ConsoleFile, ask: Ask) -> None:
    described = {
        "mita.error.fingerprint": "f1",
        "mita.error.category": "database",
        "mita.error.severity": "high",
        "mita.error.code": "DATABASE_5001",
        "error.type": "OperationalError",
        "http.route": "/orders",
    }
    alert = {**described, "event.name": "mita.error.alert"}
    file.send(logs("shop", Line(trace=7, attributes=described), Line(attributes=described), Line(attributes=alert)))
    minute = AT // 60_000_000 * 60_000_000
    answer = ask("/api/console/errors", window="1h")
    (group,) = answer.pop("groups")
    assert answer == {
        "left_out": 0,
        "start": minute - 59 * 60_000_000,
        "step": 60_000_000,
        "since": minute - 59 * 60_000_000,
    }
    assert group == {
        "service": "shop",
        "fingerprint": "f1",
        "type": "OperationalError",
        "code": "DATABASE_5001",
        "category": "database",
        "severity": "high",
        "route": "/orders",
        "errors": 2,
        "trend": [0] * 59 + [2],
        "first": AT,
        "last": AT,
        "traces": [TRACE],
        "alerts": [AT],
    }
