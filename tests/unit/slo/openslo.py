"""Files of objectives, with one thing in them changed."""

from typing import Any

import yaml

from mita_otel.slo.specification import Specification, parse

REQUESTS = {
    "good": {"metricSource": {"type": "MitaRequests", "spec": {"statusBelow": 500}}},
    "total": {"metricSource": {"type": "MitaRequests", "spec": {"routes": ["/orders/*"]}}},
}
LATENCY = {
    "good": {
        "metricSource": {"type": "MitaRequests", "spec": {"within": "200ms", "metric": "http.server.request.duration"}}
    },
    "total": REQUESTS["total"],
}
EVENTS = {
    "good": {"metricSource": {"type": "MitaEvents", "spec": {"events": ["orders"], "outcome": "good"}}},
    "total": {"metricSource": {"type": "MitaEvents", "spec": {"events": ["orders"]}}},
}


def service(name: str = "shop") -> dict[str, Any]:
    """Return a document that describes a service."""
    return {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"description": "All of it."},
    }


def slo(
    name: str = "orders-availability",
    *,
    about: str = "availability",
    of: str = "shop",
    target: float = 0.999,
    ratio: dict[str, Any] = REQUESTS,
    window: dict[str, Any] | None = None,
    tier: str = "1",
) -> dict[str, Any]:
    """Return a document that describes an objective."""
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": name, "labels": {"tier": tier, "owner": "shop", "type": about}},
        "spec": {
            "description": "A sentence.",
            "service": of,
            "indicator": {"metadata": {"name": name}, "spec": {"ratioMetric": {"counter": True, **ratio}}},
            "timeWindow": [window or {"duration": "30d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"target": target}],
        },
    }


def policy(
    name: str, threshold: float, *, period: str = "30d", action: str = "look", actions: str = "Look at it.\nNow."
) -> dict[str, Any]:
    """Return a document that describes a stage of a policy."""
    burn = {"kind": "burnrate", "op": "gte", "threshold": threshold, "lookbackWindow": period}
    condition = {
        "kind": "AlertCondition",
        "metadata": {"name": name},
        "spec": {"severity": "warning", "condition": burn},
    }
    return {
        "apiVersion": "openslo/v1",
        "kind": "AlertPolicy",
        "metadata": {"name": name, "annotations": {"mita/action": action, "mita/actions": actions}},
        "spec": {"description": "A sentence.", "conditions": [condition]},
    }


def requests(*routes: str, excepting: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a ratio of requests to other routes."""
    spec = {"routes": list(routes), "exceptRoutes": list(excepting)}
    return {**REQUESTS, "total": {"metricSource": {"type": "MitaRequests", "spec": spec}}}


def within(limit: str, metric: str = "http.server.request.duration") -> dict[str, Any]:
    """Return a ratio of requests that are answered in time."""
    return {**LATENCY, "good": {"metricSource": {"type": "MitaRequests", "spec": {"within": limit, "metric": metric}}}}


def text(*documents: dict[str, Any]) -> str:
    """Return the text of a file."""
    dumped: str = yaml.safe_dump_all(documents, sort_keys=False)
    return dumped


def specification(*documents: dict[str, Any]) -> Specification:
    """Return what a file says."""
    return parse(text(service(), *documents))
