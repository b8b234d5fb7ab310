"""Panels that several dashboards have."""

from typing import Final

from mita_otel.dashboards import logql, uids
from mita_otel.dashboards.model import Panel, Query
from mita_otel.dashboards.panels import chart, lines, table, timeline
from mita_otel.dashboards.promql import of, quantile, select, total, whole

HEALTH: Final = {
    1.0: ("healthy", "green"),
    0.66: ("degraded", "yellow"),
    0.33: ("critical", "orange"),
    0.0: ("unhealthy", "red"),
}
UP: Final = {1.0: ("up", "green"), 0.0: ("down", "red")}
_BREAKER: Final = {0.0: ("closed", "green"), 1.0: ("half open", "yellow"), 2.0: ("open", "red")}


def quantiles(histogram: str, **labels: str) -> tuple[Query, ...]:
    """Return what 50, 95 and 99 % of the measurements stay below, with traces of them."""
    return tuple(
        Query(quantile(percent / 100, histogram, **labels), f"P{percent}", exemplars=True) for percent in (50, 95, 99)
    )


def breaker_states(width: int = 8) -> Panel:
    """Return the course of each circuit breaker: the worst of all processes."""
    open_, half_open = (
        f"max by (service) ({of('mita_circuit_breaker_state', state=state)})"
        for state in ("~open|forced_open", "half_open")
    )
    return timeline(
        "Circuit breakers",
        "The worst state of each breaker over all chosen processes. Normal is closed; half open is a test of whether a "
        "dependency is back. From mita_circuit_breaker_state.",
        Query(f"(2 * {open_} > 0) or {half_open}", "{{service}}"),
        width=width,
        words=_BREAKER,
        next=uids.RELIABILITY,
    )


def worrying_logs(width: int = 24) -> Panel:
    """Return the newest lines that someone should look at."""
    return lines(
        "Warnings and errors",
        "The newest lines of the chosen services that are warnings or worse, each with a link to its trace. Failed "
        "log-ins and slow requests are warnings; an error is never normal. From Loki.",
        Query(logql.lines(logql.BAD), source="logs"),
        width=width,
        height=10,
    )


def counted_logs(width: int = 8) -> Panel:
    """Return how many lines there are by severity."""
    return chart(
        "Log lines by severity",
        "Lines in each step. Errors that rise with the error rate tell why it rises. From Loki.",
        Query(logql.counted(by="severity_text"), "{{severity_text}}", source="logs"),
        width=width,
        stacked=True,
    )


def firing_alerts(width: int = 12) -> Panel:
    """Return the alerts that fire now."""
    firing = select("ALERTS", alertstate="firing", service_name="~$service|")
    return table(
        "Firing alerts",
        "What Prometheus tells Alertmanager now. Normal is the watchdog alone, which fires for as long as alerting "
        "works. From ALERTS.",
        Query(f"sum by (alertname, severity, service_name) ({firing}) or on () vector(0)", "Firing", at_once=True),
        headings={"alertname": "Alert", "severity": "Severity", "service_name": "Service"},
        width=width,
    )


def pool(width: int = 8) -> Panel:
    """Return the connections of the database's pools."""
    parts = ("active", "idle", "max")
    return chart(
        "Database connections",
        "Connections in use, idle, and how many there may be, over all chosen processes. Use that stays at the most "
        "makes requests wait. From db.client.connection.count and .max.",
        *(Query(total(of(f"mita_database_connections_{part}")), part) for part in parts),
        width=width,
        next=uids.PERFORMANCE,
    )


def cache_hits(width: int = 8) -> Panel:
    """Return the share of lookups that the cache could answer."""
    return chart(
        "Cache hit rate",
        "Share of the lookups of five minutes that each cache could answer; a gap is a time without lookups. Normal is "
        "what it was last week; a fall is load on the database. mita_cache_hit_rate, recorded of a whole service.",
        Query(whole("mita_cache_hit_rate"), "{{cache}}"),
        unit="percentunit",
        most=1,
        width=width,
        next=uids.PERFORMANCE,
    )
