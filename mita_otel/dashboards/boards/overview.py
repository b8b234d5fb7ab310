"""The system at a glance: is it well, and if not, where to look."""

from typing import Final

from mita_otel.dashboards import promises, uids
from mita_otel.dashboards.boards import shared
from mita_otel.dashboards.model import Board, Panel, Query, Row
from mita_otel.dashboards.panels import chart, number
from mita_otel.dashboards.promql import of, quantile, rate, select, share, total, whole
from mita_otel.slo.series import AVAILABILITY, BURN_RATE, OBJECTIVE, REMAINING
from mita_otel.slo.specification import Specification

_REQUESTS: Final = "mita_http_requests_total"
_DURATION: Final = "http_server_request_duration_seconds"
_ROUTE: Final = "~$route"


def board(specification: Specification) -> Board:
    """Return the dashboard."""
    return Board(
        uid=uids.OVERVIEW,
        title="System overview",
        description="The first look: traffic, errors, latency, what the service leans on, and what fires.",
        variables=("environment", "service", "instance", "route"),
        rows=(
            Row("Now", _now(specification)),
            Row("Traffic", (*_traffic(specification), *_users())),
            Row("What it leans on", (shared.pool(), shared.cache_hits(), shared.breaker_states())),
            Row("What is wrong", (shared.firing_alerts(), shared.counted_logs(12), shared.worrying_logs())),
        ),
    )


def _ended_with(statuses: str) -> str:
    # Of what processes tell, and not of what rules make of it: there the first error of a route is a series that
    # begins at one, and grows by nothing.
    ended = rate(f"{_DURATION}_count", http_route=_ROUTE, http_response_status_code=statuses)
    return share(total(ended), total(rate(f"{_DURATION}_count", http_route=_ROUTE)))


def _now(specification: Specification) -> tuple[Panel, ...]:
    main = promises.main(specification)
    return (
        number(
            "Request rate",
            "Requests answered a second. Normal is the usual of this hour. From mita_http_requests_total.",
            Query(total(rate(_REQUESTS, endpoint=_ROUTE))),
            unit="reqps",
        ),
        number(
            "Error rate",
            "Share of requests that ended with a server's error. Yellow is more than the objective allows, red so much "
            "that it pages. From http.server.request.duration.",
            Query(_ended_with("~5..")),
            unit="percentunit",
            steps=promises.errors(specification, main.service),
            next=uids.RELIABILITY,
        ),
        number(
            "P95 latency",
            "What 95 % of requests stay below. Colours are the promised thresholds. From http.server.request.duration.",
            Query(quantile(0.95, _DURATION, http_route=_ROUTE)),
            unit="s",
            steps=promises.latency(specification, main.service),
            next=uids.PERFORMANCE,
        ),
        number(
            "Availability (30 days)",
            "Share of the last 30 days' requests that were answered as promised: counted, not guessed from probes. Red "
            "is below the objective. mita_availability_slo, recorded of a whole service.",
            Query(f"min({whole(AVAILABILITY)}) / 100"),
            unit="percentunit",
            decimals=3,
            steps=promises.kept(specification, main.service, "availability"),
            next=uids.SLO,
        ),
        number(
            "Least budget left",
            "Share of the error budget that is left to the objective with the least; below 0 where more is spent. "
            "Colours are the stages of the policy. mita_error_budget_remaining, recorded of a whole service.",
            Query(f"min({whole(REMAINING)})"),
            unit="percentunit",
            steps=promises.budget(),
            next=uids.SLO,
        ),
        number(
            "Active users",
            "Users seen in the last five minutes, counted once over all processes. From mita_active_users.",
            Query(f"max({of('mita_active_users', window='5m')})"),
            next=uids.BUSINESS,
        ),
    )


def _traffic(specification: Specification) -> tuple[Panel, ...]:
    main = promises.main(specification)
    return (
        chart(
            "Request rate by method",
            "Requests answered a second. A sudden fall is as bad a sign as a rise. From mita_http_requests_total.",
            Query(total(rate(_REQUESTS, endpoint=_ROUTE), "method"), "{{method}}"),
            unit="reqps",
            stacked=True,
            next=uids.SERVICE,
        ),
        chart(
            "Error rate by side",
            "Shares of requests that ended with a server's error, and with a client's. The lines are what the "
            "objective allows and what pages. From http.server.request.duration.",
            Query(_ended_with("~5.."), "server's (5xx)"),
            Query(_ended_with("~4.."), "client's (4xx)"),
            unit="percentunit",
            steps=promises.errors(specification, main.service),
            next=uids.RELIABILITY,
        ),
        chart(
            "Latency",
            "What 50, 95 and 99 % of requests stay below, with traces to click on. The lines are the promised "
            "thresholds. From http.server.request.duration.",
            *shared.quantiles(_DURATION, http_route=_ROUTE),
            unit="s",
            steps=promises.latency(specification, main.service),
            next=uids.PERFORMANCE,
        ),
        chart(
            "Availability (an hour)",
            "Share of the last hour's requests that were answered as promised, beside the objective. From the burn "
            "rate of an hour, recorded of a whole service.",
            Query(
                f"1 - {whole(BURN_RATE, slo=main.id, window='1h')}"
                f" * on () group_left () (1 - max({select(OBJECTIVE, slo=main.id)}))",
                "{{service_name}}",
            ),
            Query(f"max({select(OBJECTIVE, slo=main.id)})", "objective"),
            unit="percentunit",
            from_zero=False,
            decimals=3,
            next=uids.SLO,
        ),
    )


def _users() -> tuple[Panel, ...]:
    return (
        chart(
            "Active users by window",
            "Users seen within five minutes, an hour and a day, counted once over all processes. From "
            "mita_active_users.",
            Query(f"max by (window) ({of('mita_active_users')})", "{{window}}"),
            next=uids.BUSINESS,
        ),
        chart(
            "Requests being answered",
            "Requests that came and are not answered yet. More of them at the same rate means that each takes longer. "
            "From http.server.active_requests.",
            Query(total(of("mita_http_requests_active"), "service_name"), "{{service_name}}"),
            next=uids.SERVICE,
        ),
    )
