"""Alerts, each once: rules of Prometheus and Loki, their page and links are made of this table."""

from typing import Final

from mita_otel.alerts.alert import Alert, Category, Severity
from mita_otel.alerts.availability import AVAILABILITY
from mita_otel.alerts.business import BUSINESS
from mita_otel.alerts.links import Places, links
from mita_otel.alerts.logs import LOGS
from mita_otel.alerts.performance import PERFORMANCE
from mita_otel.alerts.pipeline import PIPELINE
from mita_otel.alerts.resources import RESOURCES
from mita_otel.alerts.signals import EVERY, SIGNALS
from mita_otel.alerts.slo import SLO

METRIC_ALERTS: Final[tuple[Alert, ...]] = (*SLO, *AVAILABILITY, *PERFORMANCE, *RESOURCES, *BUSINESS, *PIPELINE)
"""Those that Prometheus evaluates."""

ALERTS: Final[tuple[Alert, ...]] = (*METRIC_ALERTS, *LOGS)
"""All of them."""

__all__ = [
    "ALERTS",
    "AVAILABILITY",
    "BUSINESS",
    "EVERY",
    "LOGS",
    "METRIC_ALERTS",
    "PERFORMANCE",
    "PIPELINE",
    "RESOURCES",
    "SIGNALS",
    "SLO",
    "Alert",
    "Category",
    "Places",
    "Severity",
    "links",
]
