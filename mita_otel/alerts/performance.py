"""Alerts on what is slow, and on what makes it so."""

from typing import Final

from mita_otel.alerts.alert import Alert
from mita_otel.alerts.promql import SERVICE, events, labels, quantile
from mita_otel.alerts.signals import of_the_living
from mita_otel.dashboards import uids
from mita_otel.metrics.catalogue import database, http, process, reliability

_POOL: Final = "db_client_connection_pool_name"
_OF_PROCESS: Final = (*SERVICE, "instance", _POOL)
_IN_USE: Final = f'{database.CONNECTION_COUNT.prometheus_name}{{db_client_connection_state="used"}}'
_USED: Final = f"max by {labels(_OF_PROCESS)} ({_IN_USE})"
_ALLOWED: Final = f"max by {labels(_OF_PROCESS)} ({database.CONNECTION_MAX.prometheus_name})"
_REQUESTS: Final = f"{http.SERVER_REQUEST_DURATION.prometheus_name}_count"


def _given_up(window: str) -> str:
    """Return how many waits a request were given up, by what was waited for."""
    waits = events(reliability.TIMEOUTS.prometheus_name, window, ("scope",))
    return f"{waits} / on {labels(SERVICE)} group_left () {events(_REQUESTS, window)}"


PERFORMANCE: Final = (
    Alert(
        name="MitaHighLatency",
        expression=quantile(http.SERVER_REQUEST_DURATION, 0.95, above=1.0, at_least=5, window="5m"),
        lasting="10m",
        keep="2m",
        severity="warning",
        tier=1,
        category="performance",
        by=SERVICE,
        summary="{{ $labels.service_name }} takes {{ $value | humanizeDuration }} for one request in twenty",
        description="The 95th percentile of all requests of the last 5 minutes is above 1 s.",
        dashboard=uids.PERFORMANCE,
        traces={"minDuration": "1s"},
    ),
    Alert(
        name="MitaSlowDatabaseQueries",
        expression=quantile(
            database.OPERATION_DURATION,
            0.95,
            above=0.5,
            at_least=5,
            window="2m",
            where='db_system_name!="redis",',
            by=("db_namespace",),
        ),
        lasting="5m",
        keep="2m",
        severity="warning",
        tier=2,
        category="performance",
        by=(*SERVICE, "db_namespace"),
        summary="Queries of {{ $labels.service_name }} to {{ $labels.db_namespace }} are slow",
        description="The 95th percentile is {{ $value | humanizeDuration }}, above 0.5 s.",
        dashboard=uids.PERFORMANCE,
        traces={"minDuration": "500ms"},
    ),
    Alert(
        name="MitaEventLoopBlocked",
        expression=quantile(process.EVENT_LOOP_LAG, 0.99, above=0.25, at_least=5, window="2m", by=("instance",)),
        lasting="5m",
        keep="2m",
        severity="warning",
        tier=2,
        category="performance",
        by=(*SERVICE, "instance"),
        summary="The event loop of a process of {{ $labels.service_name }} is blocked",
        description="Its timers are {{ $value | humanizeDuration }} late (99th percentile): something computes, or"
        " waits without `await`.",
        dashboard=uids.SERVICE,
        traces={"minDuration": "250ms"},
    ),
    Alert(
        name="MitaDatabasePoolSaturated",
        expression=f"max by {labels(_OF_PROCESS)} ({of_the_living(_IN_USE)}) / ({_ALLOWED} > 0) > 0.9",
        lasting="5m",
        severity="warning",
        tier=2,
        category="performance",
        by=_OF_PROCESS,
        summary="A process of {{ $labels.service_name }} uses {{ $value | humanizePercentage }} of its connections",
        description="Requests wait for a connection to {{ $labels.db_client_connection_pool_name }}.",
        dashboard=uids.PERFORMANCE,
        traces={"minDuration": "500ms"},
    ),
    Alert(
        name="MitaDatabasePoolExhaustionPredicted",
        # The trend of the last 10 minutes, too: a step up is none.
        expression=(
            f"predict_linear(({_USED})[30m:1m], 3600) / ({_ALLOWED} > 0) > 1\n"
            f"and predict_linear(({_USED})[10m:1m], 3600) / ({_ALLOWED} > 0) > 1\n"
            f"and avg_over_time(({_USED})[5m:1m]) / ({_ALLOWED} > 0) > 0.5\n"
            f"and count_over_time(({_USED})[30m:1m]) >= 27"
        ),
        lasting="15m",
        severity="warning",
        tier=2,
        category="performance",
        by=_OF_PROCESS,
        summary="A process of {{ $labels.service_name }} will be out of connections within an hour",
        description="By the trend of the last 30 minutes it will need {{ $value | humanizePercentage }} of what the"
        " pool of {{ $labels.db_client_connection_pool_name }} allows.",
        dashboard=uids.PERFORMANCE,
        traces={"minDuration": "500ms"},
    ),
    Alert(
        name="MitaTimeouts",
        expression=(
            f"{_given_up('5m')} > 0.01\n"
            f"and {_given_up('2m')} > 0.01\n"
            f"and {events(reliability.TIMEOUTS.prometheus_name, by=('scope',))} >= 5"
        ),
        lasting="5m",
        keep="2m",
        severity="warning",
        tier=2,
        category="performance",
        by=(*SERVICE, "scope"),
        summary="{{ $labels.service_name }} gives up waiting: {{ $labels.scope }}",
        description="{{ $value | humanizePercentage }} of the requests of 5 minutes gave a wait up, more than 1 %.",
        dashboard=uids.PERFORMANCE,
        traces={"error": "true"},
    ),
)
"""Source: observability report, section 6.2 #5."""
