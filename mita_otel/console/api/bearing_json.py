"""What services bear, how well they are and their errors, as our own API writes them."""

from typing import Any

from mita_otel.console.reading.errors import Group
from mita_otel.console.reading.resilience import Backend, Breaker, Change, Feature, Flag, Limit, Resilience, Retried
from mita_otel.console.reading.wellness import Check, Service
from mita_otel.console.store.telling import CATEGORY

Json = dict[str, Any]


def resilience_json(found: Resilience) -> Json:
    """Return breakers, rate limits and their backends, retries, timeouts, features and flags."""
    return {
        "heard": found.heard,
        "breakers": list(map(_breaker, found.breakers)),
        "limits": list(map(_limit, found.limits)),
        "backends": list(map(_backend, found.backends)),
        "retries": list(map(_retried, found.retries)),
        "timeouts": [{"service": service, "scopes": scopes} for service, scopes in sorted(found.timeouts.items())],
        "features": list(map(_feature, found.features)),
        "flags": list(map(_flag, found.flags)),
    }


def _breaker(of: Breaker) -> Json:
    return {
        "service": of.service,
        "name": of.name,
        "states": of.states,
        "calls": of.calls,
        "seconds": of.seconds,
        "would_reject": of.would_reject,
        "changes": list(map(_change, of.changes)),
    }


def _change(of: Change) -> Json:
    return {
        "time": of.time,
        "before": of.before,
        "after": of.after,
        "reason": of.reason,
        "trace_id": of.trace.hex() or None,
        "causes": of.causes,
    }


def _limit(of: Limit) -> Json:
    return {"service": of.service, "policy": of.policy, "requests": of.requests, "utilization": of.utilization}


def _backend(of: Backend) -> Json:
    return {"service": of.service, "states": of.states, "replicas": of.replicas}


def _retried(of: Retried) -> Json:
    return {
        "service": of.service,
        "dependency": of.dependency,
        "calls": of.calls,
        "attempts": of.attempts,
        "amplification": of.amplification,
        "exhausted": of.exhausted,
        "waited": of.waited,
        "budget": of.budget,
    }


def _feature(of: Feature) -> Json:
    return {
        "service": of.service,
        "name": of.name,
        "modes": of.modes,
        "served": of.served,
        "changes": list(map(_change, of.changes)),
    }


def _flag(of: Flag) -> Json:
    return {"service": of.service, "key": of.key, "variants": of.variants, "reasons": of.reasons}


def service_json(of: Service) -> Json:
    """Return how well a service is."""
    return {
        "name": of.name,
        "heard": of.heard,
        "levels": of.levels,
        "ready": of.ready,
        "checks": list(map(_check, of.checks)),
    }


def _check(of: Check) -> Json:
    changes = [
        {
            "time": change.time,
            "before": change.before,
            "after": change.after,
            "reason": change.error,
            "trace_id": change.trace or None,
        }
        for change in of.changes
    ]
    return {
        "name": of.name,
        "levels": of.levels,
        "response_ms": of.response_ms,
        "failures": of.failures,
        "changes": changes,
    }


def group_json(of: Group) -> Json:
    """Return a group of errors."""
    return {
        "service": of.service,
        "fingerprint": of.fingerprint,
        "type": of.text("error.type"),
        "code": of.text("mita.error.code"),
        "category": of.text(CATEGORY),
        "severity": of.text("mita.error.severity"),
        "route": of.text("http.route"),
        "errors": of.errors,
        "trend": of.trend,
        "first": of.first,
        "last": of.last,
        "traces": of.traces,
        "alerts": of.alerts,
    }
