"""What goes wrong, how often, and what holds it off."""

from typing import Final

from mita_otel.dashboards import logql, promises, uids
from mita_otel.dashboards.boards import shared
from mita_otel.dashboards.model import Board, Panel, Query, Row
from mita_otel.dashboards.panels import chart, lines, number, table, timeline
from mita_otel.dashboards.promql import of, or_zero, quantile, rate, rise, total, whole
from mita_otel.slo.specification import Specification

_NONE: Final = "Normal is none."


def board(specification: Specification) -> Board:
    """Return the dashboard."""
    return Board(
        uid=uids.RELIABILITY,
        title="Reliability",
        description="Errors, health, breakers, limits, log-ins, databases: what goes wrong, and what holds it off.",
        variables=("environment", "service", "instance", "route"),
        rows=(
            Row("Errors", _errors(specification)),
            Row("Health", _health()),
            Row("Breakers, retries, timeouts", (shared.breaker_states(), *_breakers(), *_retries())),
            Row("Limits and log-ins", (*_limits(), *_logins())),
            Row("Database", _database()),
            Row("Lines", (shared.worrying_logs(12), _security_lines())),
        ),
    )


def _counted(title: str, description: str, name: str, by: str, *, unit: str = "ops", next_: str = "") -> Panel:
    """Return a panel of a counter that does not exist before what it counts happens."""
    return chart(
        title,
        f"{description} From {name}.",
        Query(or_zero(total(rate(name), by)), f"{{{{{by}}}}}"),
        unit=unit,
        stacked=True,
        next=next_,
    )


def _errors(specification: Specification) -> tuple[Panel, ...]:
    return (
        _counted(
            "Error rate by category",
            "Requests a second that ended with an error, a client's among them, by what went wrong. Validation is "
            "users' typing; database, external_api and system are ours.",
            "mita_errors_total",
            "category",
        ),
        _counted(
            "Error rate by severity",
            "The same by how much it matters. Critical is never normal.",
            "mita_errors_total",
            "severity",
        ),
        chart(
            "Error rate by endpoint",
            "Share of the requests of five minutes that ended with a server's error, of the five worst endpoints. The "
            "lines are what the objective allows and what pages. mita_error_rate, recorded of a whole service.",
            Query(f"topk(5, {whole('mita_error_rate', endpoint='~$route')})", "{{endpoint}}"),
            unit="percentunit",
            steps=promises.errors(specification, promises.main(specification).service),
            next=uids.SERVICE,
        ),
    )


def _health() -> tuple[Panel, ...]:
    return (
        number(
            "Health",
            "The worst health that a process tells of itself. From mita_health_status.",
            Query(f"min({of('mita_health_status')})"),
            words=shared.HEALTH,
            height=8,
        ),
        timeline(
            "Health check status",
            "How well each dependency is, the worst over all processes. Degraded is slow or near a limit, unhealthy "
            "does not answer. From mita_service_health.",
            Query(f"min by (service) ({of('mita_service_health')})", "{{service}}"),
            words=shared.HEALTH,
            width=12,
        ),
        chart(
            "Failed health checks",
            f"Looks a second that found something unhealthy, by check. {_NONE} From mita_health_check_failures_total.",
            Query(or_zero(total(rate("mita_health_check_failures_total"), "check")), "{{check}}"),
            unit="ops",
        ),
        timeline(
            "Features that are degraded",
            "How much of each feature is served: 0 all of it, 1 from a cache, 2 something general, 3 nothing. From "
            "mita_degradation_active.",
            Query(
                " or ".join(
                    f"({level} * max by (feature) ({of('mita_degradation_active', mode=mode)}) > 0)"
                    for mode, level in (("off", 3), ("generic", 2), ("cached", 1))
                )
                + f" or 0 * max by (feature) ({of('mita_degradation_active')}) or on () vector(0)",
                "{{feature}}",
            ),
            words={
                0.0: ("all", "green"),
                1.0: ("cached", "yellow"),
                2.0: ("generic", "orange"),
                3.0: ("off", "red"),
            },
            width=24,
            height=6,
        ),
    )


def _breakers() -> tuple[Panel, ...]:
    return (
        table(
            "Circuit breaker trips",
            f"How often each breaker opened in the chosen time, and why. {_NONE} From "
            "mita_circuit_breaker_transitions_total.",
            Query(
                or_zero(f"{total(rise('mita_circuit_breaker_transitions_total', to='open'), 'service', 'reason')} > 0"),
                "Times",
                at_once=True,
            ),
            headings={"service": "Breaker", "reason": "Why"},
        ),
        _counted(
            "Calls through breakers",
            "Calls a second, by how they ended. Rejected are those that an open breaker did not let through.",
            "mita_circuit_breaker_calls_total",
            "outcome",
        ),
    )


def _retries() -> tuple[Panel, ...]:
    return (
        chart(
            "Retry amplification",
            "Attempts that a call to each dependency took in five minutes. Normal is 1; near the most attempts "
            "allowed, retries make an outage worse. mita_retry_amplification, recorded of a whole service.",
            Query(f"{whole('mita_retry_amplification')} or on () vector(1)", "{{dependency}}"),
        ),
        _counted(
            "Calls given up",
            f"Calls a second that failed for good, by why there was no further attempt. {_NONE}",
            "mita_retry_exhausted_total",
            "reason",
        ),
        _counted(
            "Timeouts",
            f"Waits a second that were given up, by what was waited for. {_NONE}",
            "mita_timeouts_total",
            "scope",
        ),
    )


def _limits() -> tuple[Panel, ...]:
    return (
        _counted(
            "Rate limit violations",
            "Requests a second that a limit blocked, by policy. A little is normal; a surge is a script, or a limit "
            "that is too narrow.",
            "mita_rate_limit_exceeded_total",
            "policy",
        ),
        chart(
            "Share of requests blocked",
            "Of the requests of five minutes that a limit was asked about, by policy. mita_rate_limit_hit_rate, "
            "recorded of a whole service.",
            Query(whole("mita_rate_limit_hit_rate"), "{{policy}}"),
            unit="percentunit",
        ),
        chart(
            "Use of quotas",
            "What 95 % of the clients' used shares of their quota stay below, by policy. Near 1 the next step is a "
            "block. From mita.rate_limit.utilization.",
            Query(quantile(0.95, "mita_rate_limit_utilization", "policy"), "{{policy}}"),
            unit="percentunit",
            most=1,
        ),
    )


def _logins() -> tuple[Panel, ...]:
    return (
        _counted(
            "Failed authentications",
            "Attempts a second to log in, or to use a token, that failed, by why. A few wrong passwords are normal; "
            "many are someone guessing.",
            "mita_authentication_failures_total",
            "reason",
        ),
        _counted(
            "Audit events",
            "Events of the audit log a second, by what became of them. Dropped is never normal.",
            "mita_audit_events_total",
            "status",
        ),
        _counted(
            "Failures of the audit log",
            f"Each of them is to be looked into. {_NONE}",
            "mita_audit_failures_total",
            "reason",
        ),
    )


def _database() -> tuple[Panel, ...]:
    return (
        chart(
            "Database connection errors",
            "Waits for a connection that were given up, and operations that failed, a second, by type of error. "
            f"{_NONE} From db.client.connection.timeouts and db.client.operation.duration.",
            Query(or_zero(total(rate("mita_database_connection_timeouts_total"))), "no connection in time"),
            Query(
                or_zero(
                    total(
                        rate("db_client_operation_duration_seconds_count", db_system_name="!redis", error_type="!"),
                        "error_type",
                    )
                ),
                "{{error_type}}",
            ),
            unit="ops",
        ),
        timeline(
            "Database answers",
            "Whether each database answered the last look of every process. From mita_database_up.",
            Query(
                f"min by (db_client_connection_pool_name) ({of('mita_database_up')})",
                "{{db_client_connection_pool_name}}",
            ),
            words=shared.UP,
        ),
        chart(
            "Deadlocks and retries",
            "Statements a second that a deadlock or a concurrent transaction ended, and transactions tried again. "
            f"{_NONE} From mita_database_deadlocks_total and two more.",
            *(
                Query(or_zero(total(rate(f"mita_database_{name}_total"))), name.replace("_", " "))
                for name in ("deadlocks", "serialization_failures", "transaction_retries")
            ),
            unit="ops",
        ),
    )


def _security_lines() -> Panel:
    return lines(
        "Security",
        "The newest lines of the security stream: log-ins that failed, tokens that were refused, limits that were met. "
        "From Loki.",
        Query(logql.lines(stream="security"), source="logs"),
        width=12,
        height=10,
    )
