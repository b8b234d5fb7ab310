"""Alerts, each once: rules of Prometheus and Loki, their page and links are made of this table."""

from typing import Final

from mita_otel.alerts.alert import Alert, Category, Severity
from mita_otel.alerts.availability import AVAILABILITY
from mita_otel.alerts.business import BUSINESS
from mita_otel.alerts.performance import PERFORMANCE
from mita_otel.alerts.pipeline import PIPELINE
from mita_otel.alerts.resources import RESOURCES
from mita_otel.alerts.slo import SLO

METRIC_ALERTS: Final[tuple[Alert, ...]] = (*SLO, *AVAILABILITY, *PERFORMANCE, *RESOURCES, *BUSINESS, *PIPELINE)
"""Those that Prometheus evaluates."""

ALERTS: Final[tuple[Alert, ...]] = METRIC_ALERTS
"""All of them."""

__all__ = ["ALERTS", "METRIC_ALERTS", "Alert", "Category", "Severity"]
