"""Where time and resources go: endpoints, queries, cache, other services, the machine."""

from typing import Final

from mita_otel.dashboards import logql, promises, uids
from mita_otel.dashboards.boards import shared
from mita_otel.dashboards.model import Board, Panel, Query, Row
from mita_otel.dashboards.panels import bars, chart, heatmap, lines, table
from mita_otel.dashboards.promql import of, quantile, rate, rise, total
from mita_otel.slo.specification import Specification

_DURATION: Final = "http_server_request_duration_seconds"
_ROUTE: Final = "~$route"
_QUERIES: Final = "mita_database_query_duration_seconds"


def board(specification: Specification) -> Board:
    """Return the dashboard."""
    return Board(
        uid=uids.PERFORMANCE,
        title="Performance",
        description="Where time and resources go: endpoints, queries, the cache, other services, the machine.",
        variables=("environment", "service", "instance", "route"),
        rows=(
            Row("Endpoints", _endpoints(specification)),
            Row("Database", (*_database(), shared.pool())),
            Row("Cache", (shared.cache_hits(), *_cache())),
            Row("Other services", _external()),
            Row("Machine", (*_process(), *_machine())),
            Row("What was slow", (_slow_lines(),)),
        ),
    )


def _endpoints(specification: Specification) -> tuple[Panel, ...]:
    steps = promises.latency(specification, promises.main(specification).service)
    return (
        heatmap(
            "Endpoint latency",
            "How many requests took how long; the brighter, the more, and each mark is a trace. A second band above "
            "the first is a dependency that some requests wait for. From http.server.request.duration.",
            Query(
                f"sum by (le) (increase({of(f'{_DURATION}_bucket', http_route=_ROUTE)}[$__rate_interval]))",
                "{{le}}",
                exemplars=True,
            ),
            unit="s",
            width=12,
            height=10,
        ),
        table(
            "Slowest endpoints",
            "What 95 % of the requests to a route stayed below in the chosen time, with how many there were: a slow "
            "route that nobody uses can wait. From http.server.request.duration.",
            Query(
                "topk(15, histogram_quantile(0.95, sum by (le, http_route)"
                f" ({rise(f'{_DURATION}_bucket', http_route=_ROUTE)})))",
                "P95",
                at_once=True,
                unit="s",
                steps=steps,
            ),
            Query(total(rise(f"{_DURATION}_count", http_route=_ROUTE), "http_route"), "Requests", at_once=True),
            headings={"http_route": "Route"},
            leads={"http_route": (uids.SERVICE, "route")},
            width=12,
            height=10,
        ),
        chart(
            "Latency by route",
            "What 95 % of the requests stay below, of the five slowest routes. The lines are the promised thresholds. "
            "From http.server.request.duration.",
            Query(
                f"topk(5, {quantile(0.95, _DURATION, 'http_route', http_route=_ROUTE)})",
                "{{http_route}}",
                exemplars=True,
            ),
            unit="s",
            width=24,
            steps=steps,
        ),
    )


def _database() -> tuple[Panel, ...]:
    return (
        bars(
            "Slow queries (top 10)",
            "Time that the slowest kinds of queries took altogether in the chosen time; 0 where none took "
            "MITA_SLOW_QUERY_SECONDS. Their text and plan are in the log. From "
            "mita_database_slow_query_time_seconds_total.",
            Query(
                f"topk(10, {total(rise('mita_database_slow_query_time_seconds_total'), 'db_query_summary')})"
                " or on () vector(0)",
                "{{db_query_summary}}",
                at_once=True,
            ),
            unit="s",
            width=12,
        ),
        chart(
            "Database query duration",
            "What 50, 95 and 99 % of the queries stay below, with traces. From db.client.operation.duration.",
            *shared.quantiles("db_client_operation_duration_seconds", db_system_name="!redis"),
            unit="s",
            width=12,
        ),
        chart(
            "Query duration by verb",
            "What 95 % of the queries stay below, by verb. From mita_database_query_duration_seconds.",
            Query(quantile(0.95, _QUERIES, "query_type"), "{{query_type}}"),
            unit="s",
        ),
        chart(
            "Queries",
            "Queries a second, by verb. More of them at the same request rate is an N+1. From "
            "mita_database_queries_total.",
            Query(total(rate("mita_database_queries_total"), "query_type"), "{{query_type}}"),
            unit="ops",
            stacked=True,
        ),
        chart(
            "Statements repeated for one request",
            "Statements a second that ran at least MITA_N_PLUS_ONE times for one request, by route. Normal is none. "
            "From mita_database_n_plus_one_total.",
            Query(
                f"{total(rate('mita_database_n_plus_one_total', http_route=_ROUTE), 'http_route')} or on () vector(0)",
                "{{http_route}}",
            ),
            unit="ops",
        ),
        chart(
            "Wait for a connection",
            "What 95 % of the waits for a connection of the pool stay below. Normal is next to nothing; anything "
            "else is a pool that is too small, or connections that are kept too long. From "
            "db.client.connection.wait_time.",
            Query(quantile(0.95, "mita_database_connection_wait_seconds"), "P95"),
            unit="s",
        ),
        chart(
            "Transactions",
            "Transactions a second, by how they ended. Many that roll back are errors, or work for nothing. From "
            "mita_database_transactions_total.",
            Query(total(rate("mita_database_transactions_total"), "status"), "{{status}}"),
            unit="ops",
            stacked=True,
        ),
    )


def _cache() -> tuple[Panel, ...]:
    return (
        chart(
            "Cache operations",
            "Operations a second, by outcome; an error is a cache that did not answer in time. From "
            "mita_cache_operations_total.",
            Query(total(rate("mita_cache_operations_total"), "operation", "status"), "{{operation}} {{status}}"),
            unit="ops",
            stacked=True,
        ),
        chart(
            "Cache command duration",
            "What 95 % of the commands stay below. Normal is a millisecond; more is a network, or a command that "
            "looks at too many keys. From mita_cache_command_duration_seconds.",
            Query(quantile(0.95, "mita_cache_command_duration_seconds", "command"), "{{command}}"),
            unit="s",
        ),
        chart(
            "Cache memory",
            "Memory that each cache server uses. From mita_cache_size_bytes.",
            Query(f"max by (server_address, server_port) ({of('mita_cache_size_bytes')})", "{{server_address}}"),
            unit="bytes",
            width=12,
        ),
        chart(
            "Cache evictions",
            "Entries a second that the server gave up for want of memory. Normal is none. From "
            "mita_cache_evictions_total.",
            Query(total(rate("mita_cache_evictions_total"), "server_address"), "{{server_address}}"),
            unit="ops",
            width=12,
        ),
    )


def _external() -> tuple[Panel, ...]:
    return (
        chart(
            "External API latency",
            "What 95 % of the calls to other services stay below, with traces. From http.client.request.duration.",
            Query(
                quantile(0.95, "http_client_request_duration_seconds", "server_address", "server_port"),
                "{{server_address}}:{{server_port}}",
                exemplars=True,
            ),
            unit="s",
            width=12,
        ),
        chart(
            "External API calls",
            "Calls a second, by answer; without a status there was none. From mita_external_requests_total.",
            Query(total(rate("mita_external_requests_total"), "service", "status"), "{{service}} {{status}}"),
            unit="reqps",
            width=12,
            stacked=True,
        ),
    )


def _process() -> tuple[Panel, ...]:
    return (
        chart(
            "CPU of processes",
            "CPUs that each process keeps busy. An event loop has one at most: near 1 it cannot take more. From "
            "process.cpu.time.",
            Query(total(rate("process_cpu_time_seconds_total"), "service_instance_id"), "{{service_instance_id}}"),
        ),
        chart(
            "Memory of processes",
            "Physical memory of each process. A line that only rises is a leak. From process.memory.usage.",
            Query(total(of("process_memory_usage_bytes"), "service_instance_id"), "{{service_instance_id}}"),
            unit="bytes",
        ),
        chart(
            "Event loop lag",
            "What 95 and 99 % of the delays of the event loop stay below. Normal is a few milliseconds; more is code "
            "that blocks it, and every request waits. From mita.event_loop.lag.",
            *(Query(quantile(q, "mita_event_loop_lag_seconds"), f"P{q * 100:g}") for q in (0.95, 0.99)),
            unit="s",
        ),
    )


def _machine() -> tuple[Panel, ...]:
    return (
        chart(
            "CPU and memory of hosts",
            "Shares of each host that are in use, told by one process on it. From mita_cpu_usage_percent and "
            "mita_memory_usage_percent.",
            *(
                Query(f"max by (host_name) ({of(f'mita_{part}_usage_percent')})", f"{part} {{{{host_name}}}}")
                for part in ("cpu", "memory")
            ),
            unit="percent",
            most=100,
        ),
        chart(
            "Disk I/O",
            "Bytes a second that the processes read from disks and write to them; what the page cache answers is not "
            "among them. From process.disk.io.",
            Query(total(rate("process_disk_io_bytes_total"), "disk_io_direction"), "{{disk_io_direction}}"),
            unit="Bps",
        ),
        chart(
            "Disk space in use",
            "Share of the file system that the service works in. Above 90 % it is time to act. From "
            "mita_disk_usage_percent.",
            Query(f"max by (host_name) ({of('mita_disk_usage_percent')})", "{{host_name}}"),
            unit="percent",
            most=100,
        ),
    )


def _slow_lines() -> Panel:
    return lines(
        "Slow requests and queries",
        "The newest lines of the performance stream, each with a link to its trace. From Loki.",
        Query(logql.lines(stream="performance"), source="logs"),
        width=24,
    )
