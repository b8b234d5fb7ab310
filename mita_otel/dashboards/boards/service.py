"""One service, or one process of it, from its routes down to its interpreter."""

from typing import Final

from mita_otel.dashboards import logql, promises, uids
from mita_otel.dashboards.boards import shared
from mita_otel.dashboards.model import Board, Panel, Query, Row
from mita_otel.dashboards.panels import chart, lines, number, table
from mita_otel.dashboards.promql import of, or_zero, quantile, rate, rise, share, total
from mita_otel.slo.specification import Specification

_DURATION: Final = "http_server_request_duration_seconds"
_REQUESTS: Final = "mita_http_requests_total"
_ROUTE: Final = "~$route"


def board(specification: Specification) -> Board:
    """Return the dashboard."""
    return Board(
        uid=uids.SERVICE,
        title="Service detail",
        description="One service, or one process of it: its routes, processes, resources, dependencies and lines.",
        variables=("environment", "service", "instance", "route"),
        rows=(
            Row("Processes", _processes()),
            Row("Routes", _routes(specification)),
            Row("Resources", _resources()),
            Row("Dependencies", (shared.pool(), shared.breaker_states(), _calls())),
            Row("Lines", (shared.counted_logs(24), _newest_lines())),
        ),
    )


def _processes() -> tuple[Panel, ...]:
    return (
        number(
            "Processes",
            "Processes that tell of themselves now. Fewer than are deployed is a replica that is gone. From "
            "process.uptime.",
            Query(f"count({of('process_uptime_seconds')})"),
            height=8,
        ),
        table(
            "Versions and ages",
            "Every process with its version and how long it runs. Two versions are a rollout; ages that stay small are "
            "a process that dies. From mita_uptime_seconds.",
            Query(
                f"max by (service_name, service_version, service_instance_id) ({of('mita_uptime_seconds')})",
                "Age",
                at_once=True,
                unit="s",
            ),
            headings={"service_name": "Service", "service_version": "Version", "service_instance_id": "Process"},
            leads={"service_instance_id": (uids.SERVICE, "instance")},
            width=12,
        ),
        number(
            "Starts",
            "Processes that started in the chosen time: deployments, and restarts that nobody asked for. From "
            "process.uptime.",
            Query(
                f"count(count by (service_instance_id) (last_over_time({of('process_uptime_seconds')}[$__range])"
                " < $__range_s)) or on () vector(0)",
                at_once=True,
            ),
            height=8,
        ),
        number(
            "Busiest process",
            "Share of one CPU that the busiest process uses; near 1 its event loop cannot take more. From "
            "process.cpu.time.",
            Query(f"max({total(rate('process_cpu_time_seconds_total'), 'service_instance_id')})"),
            unit="percentunit",
            height=8,
            steps=((None, promises.GOOD), (0.7, promises.FAIR), (0.9, promises.BAD)),
        ),
    )


def _routes(specification: Specification) -> tuple[Panel, ...]:
    steps = promises.latency(specification, promises.main(specification).service)
    requests = total(rise(f"{_DURATION}_count", http_route=_ROUTE), "http_route")
    failed = total(rise(f"{_DURATION}_count", http_route=_ROUTE, http_response_status_code="~5.."), "http_route")
    below = total(rise(f"{_DURATION}_bucket", http_route=_ROUTE), "le", "http_route")
    return (
        table(
            "Routes",
            "Requests of the chosen time by route, the share that ended with a server's error, and what 95 % stayed "
            "below. From http.server.request.duration.",
            Query(requests, "Requests", at_once=True),
            Query(
                share(failed, requests),
                "Errors",
                at_once=True,
                unit="percentunit",
                steps=promises.errors(specification, promises.main(specification).service),
            ),
            Query(f"histogram_quantile(0.95, {below})", "P95", at_once=True, unit="s", steps=steps),
            headings={"http_route": "Route"},
            leads={"http_route": (uids.PERFORMANCE, "route")},
            width=24,
            height=10,
        ),
        chart(
            "Request rate by route",
            "Requests answered a second, of the ten busiest routes. From mita_http_requests_total.",
            Query(f"topk(10, {total(rate(_REQUESTS, endpoint=_ROUTE), 'endpoint')})", "{{endpoint}}"),
            unit="reqps",
        ),
        chart(
            "Answers by status",
            "Answers a second by status. From mita_http_requests_total.",
            Query(total(rate(_REQUESTS, endpoint=_ROUTE), "status"), "{{status}}"),
            unit="reqps",
            stacked=True,
        ),
        chart(
            "Latency by process",
            "What 95 % of the requests stay below, by process: one that is slower than the others is a bad host, or a "
            "blocked loop. From http.server.request.duration.",
            Query(
                quantile(0.95, _DURATION, "service_instance_id", http_route=_ROUTE),
                "{{service_instance_id}}",
                exemplars=True,
            ),
            unit="s",
            steps=steps,
        ),
    )


def _resources() -> tuple[Panel, ...]:
    return (
        chart(
            "CPU by mode",
            "CPUs in use. A large share of system is input and output. From process.cpu.time.",
            Query(total(rate("process_cpu_time_seconds_total"), "cpu_mode"), "{{cpu_mode}}"),
            stacked=True,
        ),
        chart(
            "Memory",
            "Physical memory of each process. A line that only rises is a leak. From process.memory.usage.",
            Query(total(of("process_memory_usage_bytes"), "service_instance_id"), "{{service_instance_id}}"),
            unit="bytes",
        ),
        chart(
            "Event loop lag",
            "What 99 % of the delays of the event loop stay below, by process. Normal is a few milliseconds. From "
            "mita.event_loop.lag.",
            Query(quantile(0.99, "mita_event_loop_lag_seconds", "service_instance_id"), "{{service_instance_id}}"),
            unit="s",
        ),
        chart(
            "Garbage collections",
            "Collections a second by generation. Many of generation 2 pause every request. From "
            "cpython.gc.collections.",
            Query(total(rate("cpython_gc_collections_total"), "cpython_gc_generation"), "{{cpython_gc_generation}}"),
            unit="ops",
        ),
        chart(
            "Threads and file descriptors",
            "A line that only rises is a leak; descriptors end at the limit of the process. From process.thread.count "
            "and process.unix.file_descriptor.count.",
            Query(total(of("process_thread_count")), "threads"),
            Query(total(of("process_unix_file_descriptor_count")), "file descriptors"),
        ),
        chart(
            "Context switches",
            "Switches a second. Many involuntary ones are a host without a CPU to spare. From "
            "process.context_switches.",
            Query(
                total(rate("process_context_switches_total"), "process_context_switch_type"),
                "{{process_context_switch_type}}",
            ),
            unit="ops",
        ),
    )


def _calls() -> Panel:
    return chart(
        "Calls to other services",
        "What 95 % of the calls stay below, with traces, and calls a second that had no answer. From "
        "http.client.request.duration.",
        Query(
            quantile(0.95, "http_client_request_duration_seconds", "server_address"),
            "P95 {{server_address}}",
            exemplars=True,
        ),
        Query(
            or_zero(total(rate("http_client_request_duration_seconds_count", http_response_status_code=""))),
            "without an answer, a second",
        ),
        unit="s",
    )


def _newest_lines() -> Panel:
    return lines(
        "Newest lines",
        "All lines of the chosen services, each with a link to its trace. From Loki.",
        Query(logql.lines(), source="logs"),
        width=24,
        height=12,
    )
