"""Data sources, variables and annotations: what every dashboard has around its panels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mita_otel.dashboards.model import Source
from mita_otel.dashboards.promql import of, or_zero, select, total, whole

METRICS: Final = ("metrics", "prometheus", "Prometheus")
LOGS: Final = ("logs", "loki", "Loki")
SOURCES: Final[dict[Source, tuple[str, str, str]]] = {"metrics": METRICS, "logs": LOGS}
"""Variable, type and usual name of each data source; its usual uid is its type."""


@dataclass(frozen=True, slots=True)
class Variable:
    """Something to choose by; several at once, or all.

    Attributes:
        name: as queries write it.
        label: for people.
        description: what a choice does.
        query: in Grafana's language for Prometheus.
        everything: what matches when all are chosen. Not the list of all, which is empty where there are none: a
            label that no series has is matched by `.*`.
    """

    name: str
    label: str
    description: str
    query: str
    everything: str = ".*"


_ENVIRONMENT: Final = 'deployment_environment_name=~"$environment"'
_SERVICE: Final = f'service_name=~"$service", {_ENVIRONMENT}'

VARIABLES: Final = {
    "environment": Variable(
        "environment",
        "Environment",
        "deployment.environment.name",
        "label_values(process_uptime_seconds, deployment_environment_name)",
    ),
    "service": Variable(
        "service",
        "Service",
        "service.name",
        f"label_values(process_uptime_seconds{{{_ENVIRONMENT}}}, service_name)",
        ".+",
    ),
    "instance": Variable(
        "instance",
        "Process",
        "service.instance.id; what rules record of a whole service is of all its processes",
        f"label_values(process_uptime_seconds{{{_SERVICE}}}, service_instance_id)",
    ),
    "route": Variable(
        "route",
        "Route",
        "http.route",
        f"label_values(http_server_request_duration_seconds_count{{{_SERVICE}}}, http_route)",
    ),
    "slo": Variable(
        "slo",
        "Objective",
        "of the file of objectives",
        'label_values(mita_slo_events_total{service_name=~"$service"}, slo)',
        ".+",
    ),
}


@dataclass(frozen=True, slots=True)
class Annotation:
    """Moments that are marked in all panels: where a series is above 0."""

    name: str
    colour: str
    expr: str
    title: str
    text: str


def annotations() -> Iterator[Annotation]:
    """Return what is marked: alerts, new versions and restarts."""
    firing = {"alertstate": "firing", "alertname": "!MitaWatchdog"}
    yield Annotation(
        "Alerts",
        "red",
        # An alert that names a service is of that one; others are of all.
        f"max by (alertname, severity, service_name) ({whole('ALERTS', **firing)})"
        f" or max by (alertname, severity) ({select('ALERTS', **firing, service_name='')}) or on () vector(0)",
        "{{alertname}}",
        "{{severity}} {{service_name}}",
    )
    versions = f"count by (service_name, service_version) ({of('process_uptime_seconds')}"
    yield Annotation(
        "Deployments",
        "blue",
        or_zero(f"{versions}) unless {versions} offset 5m)"),
        "{{service_name}} {{service_version}}",
        "a version that did not run five minutes before",
    )
    started = of("process_uptime_seconds")
    yield Annotation(
        "Starts",
        "purple",
        # Where a step is longer than a minute, a process that started within it counts.
        or_zero(total(f"({started} < 60 or {started} * 1000 < $__interval_ms) > bool 0", "service_name")),
        "{{service_name}} started",
        "a process is younger than a minute",
    )
