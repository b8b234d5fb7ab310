"""Whether what one sees is all there is: the SDKs, the Collector, the backends and the alerting."""

from typing import Final

from mita_otel.dashboards import promises, uids
from mita_otel.dashboards.boards import shared
from mita_otel.dashboards.model import Board, Panel, Query, Row
from mita_otel.dashboards.panels import chart, number, timeline
from mita_otel.dashboards.promql import or_zero, quantile, rate, select, total
from mita_otel.slo.specification import Specification

_SIGNALS: Final = (("spans", "spans"), ("metric_points", "metric points"), ("log_records", "log records"))
_STEP: Final = "[$__rate_interval]"


def board(_specification: Specification) -> Board:
    """Return the dashboard."""
    return Board(
        uid=uids.TELEMETRY,
        title="Telemetry pipeline",
        description="Whether what one sees is all there is: SDKs, Collector, backends, rules and the alerting itself.",
        variables=("environment", "service", "instance"),
        rows=(
            Row("Now", _now()),
            Row("SDKs", (*_sdk_queues(), *_sdk())),
            Row("Collector", (*_collector_flow(), *_collector())),
            Row("Backends", _backends()),
            Row("Rules and alerts", _alerting()),
        ),
    )


def _now() -> tuple[Panel, ...]:
    return (
        timeline(
            "Components",
            "Whether each component of the stack answers Prometheus. From up.",
            Query("min by (job) (up)", "{{job}}"),
            words=shared.UP,
            width=12,
        ),
        number(
            "Lost by the Collector",
            "Items that the Collector could not deliver or queue in the chosen time. Normal is none. From "
            "otelcol_exporter_send_failed_* and otelcol_exporter_enqueue_failed_*.",
            Query(
                " + ".join(
                    f"({or_zero(_flow(f'exporter_{way}_failed_{signal}', over='increase', range_='$__range'))})"
                    for signal, _ in _SIGNALS
                    for way in ("send", "enqueue")
                ),
                at_once=True,
            ),
            steps=((None, promises.GOOD), (1, promises.BAD)),
            height=8,
        ),
        number(
            "Lost by SDKs",
            "Spans and log records that processes dropped in the chosen time. Normal is none. From "
            "otel.sdk.processor.*.processed with an error.",
            Query(
                " + ".join(
                    f"({or_zero(total(_dropped(signal, over='$__range', how='increase')))})"
                    for signal in ("span", "log")
                ),
                at_once=True,
            ),
            steps=((None, promises.GOOD), (1, promises.BAD)),
            height=8,
        ),
        number(
            "Fullest queue",
            "Share of its queue on disk that the fullest exporter uses. Normal is next to nothing; more is a backend "
            "that is away. From otelcol_exporter_queue_size and its capacity.",
            Query(f"max({_its('exporter_queue_size')} / {_its('exporter_queue_capacity')})"),
            unit="percentunit",
            steps=((None, promises.GOOD), (0.01, promises.FAIR), (0.5, promises.BAD)),
            height=8,
        ),
    )


def _its(name: str) -> str:
    """Return series of the Collector: Jaeger is one, too, and has them as well."""
    return select(f"otelcol_{name}", job="otelcol")


def _flow(counted: str, *by: str, over: str = "rate", range_: str = "$__rate_interval") -> str:
    """Return by how much a counter of the Collector grows."""
    return total(f"{over}({_its(f'{counted}_total')}[{range_}])", *by)


def _dropped(signal: str, *, over: str, how: str) -> str:
    made = rate(f"otel_sdk_processor_{signal}_processed_total", error_type="!")
    return made.replace("rate(", f"{how}(", 1).replace("$__rate_interval", over)


def _sdk_queues() -> tuple[Panel, ...]:
    return tuple(
        chart(
            f"Queue for {name}",
            f"The fullest queue of a process, and what it can hold. Normal is a few; a full queue drops. From "
            f"otel.sdk.processor.{signal}.queue.size and .capacity.",
            *(
                Query(f"max({_chosen(f'otel_sdk_processor_{signal}_queue_{part}')})", part)
                for part in ("size", "capacity")
            ),
        )
        for signal, name in (("span", "spans"), ("log", "log records"))
    )


def _chosen(name: str) -> str:
    return rate(name).removeprefix("rate(").removesuffix("[$__rate_interval])")


def _sdk() -> tuple[Panel, ...]:
    return (
        chart(
            "Dropped by SDKs",
            "Items a second that processes dropped, and why: queue_full is a Collector that is away or slow. Normal is "
            "none. From otel.sdk.processor.*.processed with an error.",
            *(
                Query(
                    or_zero(total(_dropped(signal, over="$__rate_interval", how="rate"), "error_type")),
                    f"{name} {{{{error_type}}}}",
                )
                for signal, name in (("span", "spans"), ("log", "log records"))
            ),
            unit="ops",
        ),
        chart(
            "Exported by SDKs",
            "Items a second whose export has finished, failed ones among them. From otel.sdk.exporter.*.exported.",
            *(
                Query(total(rate(f"otel_sdk_exporter_{signal}_exported_total")), name)
                for signal, name in (("span", "spans"), ("log", "log records"), ("metric_data_point", "metric points"))
            ),
            unit="ops",
        ),
        chart(
            "Time of an export",
            "What 95 % of the exports stay below, by exporter. Near the timeout of 10 s the Collector is short of "
            "something. From otel.sdk.exporter.operation.duration.",
            Query(
                quantile(0.95, "otel_sdk_exporter_operation_duration_seconds", "otel_component_type"),
                "{{otel_component_type}}",
            ),
            unit="s",
        ),
        chart(
            "Spans by sampling",
            "Spans started a second, by whether they are kept. From otel.sdk.span.started.",
            Query(
                total(rate("otel_sdk_span_started_total"), "otel_span_sampling_result"), "{{otel_span_sampling_result}}"
            ),
            unit="ops",
            stacked=True,
        ),
        chart(
            "Faults and overflow",
            "Measurements filed under overflow because an instrument has too many series, faults of the "
            "instrumentation, and lines that reached no destination, a second. Normal is none. From "
            "mita_metric_overflow_measurements_total, mita_telemetry_faults_total and mita_log_lost_total.",
            *(
                Query(or_zero(total(rate(name))), legend)
                for name, legend in (
                    ("mita_metric_overflow_measurements_total", "overflow"),
                    ("mita_telemetry_faults_total", "faults"),
                    ("mita_log_lost_total", "lines lost"),
                    ("mita_sentry_reports_lost_total", "reports to Sentry lost"),
                )
            ),
            unit="ops",
        ),
    )


def _collector_flow() -> tuple[Panel, ...]:
    return (
        chart(
            "Accepted by the Collector",
            "Items a second, by signal. From otelcol_receiver_accepted_*.",
            *(Query(_flow(f"receiver_accepted_{signal}"), name) for signal, name in _SIGNALS),
            unit="ops",
        ),
        chart(
            "Refused by the Collector",
            "Items a second that it was too short of memory for, or whose queue was full; senders try again. Normal is "
            "none. From otelcol_receiver_refused_*.",
            *(Query(or_zero(_flow(f"receiver_refused_{signal}")), name) for signal, name in _SIGNALS),
            unit="ops",
        ),
        chart(
            "Delivered by the Collector",
            "Items a second that backends took, by exporter. From otelcol_exporter_sent_*.",
            *(
                Query(
                    _flow(f"exporter_sent_{signal}", "exporter"),
                    f"{name}: {{{{exporter}}}}",
                )
                for signal, name in _SIGNALS
            ),
            unit="ops",
        ),
    )


def _collector() -> tuple[Panel, ...]:
    return (
        chart(
            "Failed deliveries",
            "Items a second that a backend refused for good. Normal is none: what is refused is lost. From "
            "otelcol_exporter_send_failed_*.",
            *(
                Query(
                    or_zero(_flow(f"exporter_send_failed_{signal}", "exporter")),
                    f"{name}: {{{{exporter}}}}",
                )
                for signal, name in _SIGNALS
            ),
            unit="ops",
        ),
        chart(
            "Queues on disk",
            "Bytes, or items for metrics, that wait for a backend. A line that rises is a backend that is away; "
            "nothing is lost until the queue is full. From otelcol_exporter_queue_size.",
            Query(total(_its("exporter_queue_size"), "exporter"), "{{exporter}}"),
        ),
        chart(
            "Collector's memory and CPU",
            "Physical memory in bytes, and CPUs in use. Near its limit of memory it refuses. From otelcol_process_*.",
            Query(total(_its("process_memory_rss_bytes")), "memory"),
            Query(_flow("process_cpu_seconds"), "CPU"),
            unit="short",
        ),
    )


def _backends() -> tuple[Panel, ...]:
    return (
        chart(
            "Series in Prometheus",
            "Series that it holds in memory: about 3 KB each. A jump is a label with too many values. From "
            "prometheus_tsdb_head_series.",
            Query("sum(prometheus_tsdb_head_series)", "series"),
        ),
        chart(
            "Samples into Prometheus",
            "Samples a second. From prometheus_tsdb_head_samples_appended_total.",
            Query(f"sum(rate(prometheus_tsdb_head_samples_appended_total{_STEP}))", "samples"),
            unit="ops",
        ),
        chart(
            "Lines into Loki",
            "Bytes a second, and streams in memory. Many streams are an index label with too many values. From "
            "loki_distributor_bytes_received_total and loki_ingester_memory_streams.",
            Query(f"sum(rate(loki_distributor_bytes_received_total{_STEP}))", "bytes a second"),
            Query("sum(loki_ingester_memory_streams)", "streams"),
        ),
    )


def _alerting() -> tuple[Panel, ...]:
    return (
        chart(
            "Time to evaluate rules",
            "What each group of rules took the last time, beside which 15 s are the least interval. From "
            "prometheus_rule_group_last_duration_seconds.",
            Query(
                'max by (group) (label_replace(prometheus_rule_group_last_duration_seconds, "group", "$1",'
                ' "rule_group", ".*;(.*)"))',
                "{{group}}",
            ),
            unit="s",
        ),
        chart(
            "Failed evaluations",
            "Rules a second that could not be evaluated, and groups that were skipped. Normal is none: an alert that "
            "cannot be evaluated does not fire. From prometheus_rule_evaluation_failures_total.",
            Query(f"sum(rate(prometheus_rule_evaluation_failures_total{_STEP}))", "failures"),
            Query(f"sum(rate(prometheus_rule_group_iterations_missed_total{_STEP}))", "groups skipped"),
            unit="ops",
        ),
        chart(
            "Alerts on their way",
            "Alerts a second that Prometheus dropped, and notifications that Alertmanager sent and failed to send. "
            "From prometheus_notifications_dropped_total and alertmanager_notifications_*.",
            Query(f"sum(rate(prometheus_notifications_dropped_total{_STEP}))", "dropped"),
            Query(f"sum(rate(alertmanager_notifications_total{_STEP}))", "sent"),
            Query(f"sum(rate(alertmanager_notifications_failed_total{_STEP}))", "failed"),
            unit="ops",
        ),
        shared.firing_alerts(24),
    )
