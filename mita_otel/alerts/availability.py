"""Alerts on what users cannot get: errors, services and replicas that are gone, dependencies that are down."""

from typing import Final

from mita_otel.alerts.alert import Alert
from mita_otel.alerts.promql import SERVICE, labels, share
from mita_otel.alerts.signals import HEARD, IS_AWAKE, LIVING, NOBODY, REPLICAS, of_the_living
from mita_otel.dashboards import uids
from mita_otel.metrics.catalogue import breakers, business, cache, database, health, http, reliability

_ON: Final = f"on {labels(SERVICE)}"
_REQUESTS: Final = f"{http.SERVER_REQUEST_DURATION.prometheus_name}_count"
_FAILED: Final = f'{_REQUESTS}{{http_response_status_code=~"5.."}}'
_ANALYTICS: Final = f'{_REQUESTS}{{http_route=~"/api/analytics.*"}}'
_POOL: Final = "db_client_connection_pool_name"
_COUNTED_IN: Final = f'{reliability.RATE_LIMIT_BACKEND_STATE.prometheus_name}{{state="down"}}'
_CACHE: Final = cache.OPERATIONS.prometheus_name
_UNANSWERED: Final = share(f'{_CACHE}{{status="error"}}', _CACHE, above=0.5, at_least=5, window="5m", still="2m")
_TRIPPED: Final = f'{breakers.STATE.prometheus_name}{{state=~"open|half_open|forced_open"}}'

AVAILABILITY: Final = (
    Alert(
        name="MitaHighErrorRate",
        expression=share(_FAILED, _REQUESTS, above=0.01, at_least=5, window="5m", still="2m"),
        lasting="5m",
        keep="2m",
        severity="critical",
        tier=1,
        category="availability",
        by=SERVICE,
        summary="{{ $labels.service_name }} fails {{ $value | humanizePercentage }} of its requests",
        description="More than 1 % of the requests of the last 5 minutes ended with a server's error.",
        dashboard=uids.RELIABILITY,
        traces={"error": "true"},
    ),
    Alert(
        name="MitaServiceDown",
        expression=(
            f"time() - last_over_time({HEARD}[6h])\nunless {_ON} ({LIVING})\nand {IS_AWAKE}\n"
            f'unless on (deployment_environment_name) {NOBODY}\nunless on () up{{job="otelcol"}} == 0'
        ),
        lasting="1m",
        severity="critical",
        tier=1,
        category="availability",
        by=SERVICE,
        summary="{{ $labels.service_name }} is down",
        description="No process of it has been heard of for {{ $value | humanizeDuration }}.",
        dashboard=uids.SERVICE,
    ),
    Alert(
        name="MitaReplicaMissing",
        expression=f"{REPLICAS} < quantile_over_time(0.1, {REPLICAS}[1d] offset 1h)",
        lasting="15m",
        severity="warning",
        tier=2,
        category="availability",
        by=SERVICE,
        summary="{{ $labels.service_name }} has {{ $value }} processes that serve, fewer than it had",
        description="In nine tenths of the last day there were more. If that is meant, the alert ends within 4 hours.",
        dashboard=uids.SERVICE,
    ),
    Alert(
        name="MitaServiceUnhealthy",
        expression=f"avg by {labels(SERVICE)} ({of_the_living(health.STATUS.prometheus_name)}) < 0.5",
        lasting="2m",
        severity="critical",
        tier=1,
        category="availability",
        by=SERVICE,
        summary="{{ $labels.service_name }} finds itself unhealthy",
        description='Its processes put their health at {{ $value | printf "%.2f" }} of 1 on average.',
        dashboard=uids.SERVICE,
    ),
    Alert(
        name="MitaDatabaseDown",
        expression=f"avg by {labels(SERVICE, _POOL)} ({of_the_living(database.UP.prometheus_name)}) <= 0.5",
        lasting="1m",
        keep="10m",  # longer than the windows that its failures are still in: it silences what these tell
        severity="critical",
        tier=1,
        category="availability",
        by=(*SERVICE, _POOL),
        summary="The database of {{ $labels.service_name }} is down",
        description="{{ $labels.db_client_connection_pool_name }} answers {{ $value | humanizePercentage }} of its"
        " processes, or did less than 10 minutes ago.",
        dashboard=uids.PERFORMANCE,
        traces={"error": "true"},
    ),
    Alert(
        name="MitaCacheDown",
        expression=(f"avg by {labels(SERVICE)} ({of_the_living(_COUNTED_IN)}) >= 0.5\nor {_ON} {_UNANSWERED}"),
        lasting="1m",
        severity="warning",
        tier=2,
        category="availability",
        by=SERVICE,
        summary="The cache of {{ $labels.service_name }} is down",
        description="More than half of what is asked of it is not answered; the service goes on without it, slower.",
        dashboard=uids.PERFORMANCE,
        traces={"error": "true"},
    ),
    Alert(
        name="MitaCircuitBreakerOpen",
        expression=(f"max by {labels(SERVICE, 'service')} ({of_the_living(_TRIPPED)}) == 1"),
        lasting="1m",
        keep="1m",
        severity="warning",
        tier=2,
        category="availability",
        by=(*SERVICE, "service"),
        summary="{{ $labels.service_name }} has given up on {{ $labels.service }}",
        description="Its circuit breaker is open: calls are refused until a probe succeeds.",
        dashboard=uids.RELIABILITY,
        traces={"error": "true"},
    ),
    Alert(
        name="MitaDataStale",
        # What nobody has asked for in a day is refreshed no more, and missed by nobody.
        expression=(
            f"time() - max by {labels(SERVICE)} ({business.LAST_DATA_UPDATE.prometheus_name}) > 900\n"
            f"and {_ON} sum by {labels(SERVICE)} (increase({_ANALYTICS}[30m])) > 0"
        ),
        lasting="5m",
        severity="warning",
        tier=2,
        category="availability",
        by=SERVICE,
        summary="Analytics of {{ $labels.service_name }} are {{ $value | humanizeDuration }} old",
        description="Somebody asks for them. They are refreshed every 4 minutes, and promised to be no older than 5.",
        dashboard=uids.BUSINESS,
    ),
)
"""Source: observability report, section 6.2 #5."""
