"""Alerts on what carries telemetry and alerts themselves: an alert that cannot be told is worse than none."""

from collections.abc import Mapping
from typing import Final

from mita_otel.alerts.alert import Alert
from mita_otel.alerts.promql import HEARTBEAT, SERVICE, labels, new_or_more, total
from mita_otel.alerts.signals import NOBODY
from mita_otel.dashboards import uids
from mita_otel.metrics.catalogue import telemetry

_COLLECTOR: Final = 'up{job="otelcol"}'
_COLLECTOR_WAS: Final = f"({_COLLECTOR} offset 5m)"
_PROCESS_WAS: Final = f"({HEARTBEAT} offset 5m or {HEARTBEAT} < 300)"
_JOBS: Final = "otelcol|jaeger|loki|prometheus|alertmanager"


def _any(counters: Mapping[str, str], label: str, was: str, clause: str) -> str:
    """Return the sum of what several counters count, each told apart by a label: sets of series are not added else."""
    parts = [
        f'label_replace({new_or_more(series, "5m", was)}, "{label}", "{name}", "", "")'
        for name, series in counters.items()
    ]
    return f"sum by {clause} (\n  " + "\n  or ".join(parts) + "\n) > 0"


_LOST: Final = {
    f"{how} {what}": f"otelcol_exporter_{how}_failed_{what}_total"
    for what in ("spans", "metric_points", "log_records")
    for how in ("send", "enqueue")
}
_REFUSED: Final = {what: f"otelcol_receiver_refused_{what}_total" for what in ("spans", "metric_points", "log_records")}
_SDK: Final = {
    "spans dropped": f'{telemetry.PROCESSOR_SPAN_PROCESSED.prometheus_name}{{error_type!=""}}',
    "log records dropped": f'{telemetry.PROCESSOR_LOG_PROCESSED.prometheus_name}{{error_type!=""}}',
    "spans not exported": f'{telemetry.EXPORTER_SPAN_EXPORTED.prometheus_name}{{error_type!=""}}',
    "log records not exported": f'{telemetry.EXPORTER_LOG_EXPORTED.prometheus_name}{{error_type!=""}}',
    "data points not exported": f'{telemetry.EXPORTER_METRIC_DATA_POINT_EXPORTED.prometheus_name}{{error_type!=""}}',
    "log lines lost": telemetry.LOG_LOST.prometheus_name,
}

_TELEMETRY: Final = (
    Alert(
        name="MitaTelemetryQueueGrowing",
        expression="max by (exporter) (otelcol_exporter_queue_size / otelcol_exporter_queue_capacity) > 0.01",
        lasting="1m",
        severity="warning",
        tier=2,
        category="pipeline",
        by=("exporter",),
        summary="{{ $labels.exporter }} cannot reach its backend",
        description="Its queue is {{ $value | humanizePercentage }} full; when it is full, telemetry is refused.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
    Alert(
        name="MitaTelemetryDropped",
        expression=_any(_LOST, "kind", _COLLECTOR_WAS, "(exporter)"),
        severity="critical",
        tier=2,
        category="pipeline",
        by=("exporter",),
        summary="{{ $labels.exporter }} lost telemetry",
        description="{{ $value | humanize }} items of the last 5 minutes are gone.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
    Alert(
        name="MitaTelemetryRefused",
        expression=_any(_REFUSED, "kind", _COLLECTOR_WAS, "(receiver, transport)"),
        severity="warning",
        tier=2,
        category="pipeline",
        by=("receiver", "transport"),
        summary="The collector refuses telemetry",
        description="{{ $value | humanize }} items in the last 5 minutes: it is short of memory, or a queue is full."
        " Clients keep them for a while.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
    Alert(
        name="MitaStackComponentDown",
        expression=(
            f'min by (job) (up{{job=~"{_JOBS}"}}) == 0\n'
            f'or 0 * max by (job) (last_over_time(up{{job=~"{_JOBS}"}}[6h])) unless max by (job) (up)'
        ),
        lasting="1m",
        severity="critical",
        tier=2,
        category="pipeline",
        by=("job",),
        summary="{{ $labels.job }} does not answer",
        description="Prometheus cannot scrape it, or no longer does.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
    Alert(
        name="MitaTelemetryAbsent",
        expression=NOBODY,
        lasting="1m",
        severity="critical",
        tier=1,
        category="pipeline",
        by=("deployment_environment_name",),
        summary="No service is heard of any more",
        description="{{ $value }} services fell silent together: telemetry does not arrive, or none of them is left.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
    Alert(
        name="MitaSdkDropping",
        expression=_any(_SDK, "kind", _PROCESS_WAS, labels(SERVICE, "kind")),
        keep="5m",
        severity="warning",
        tier=2,
        category="pipeline",
        by=(*SERVICE, "kind"),
        summary="{{ $labels.service_name }} loses telemetry: {{ $labels.kind }}",
        description="{{ $value | humanize }} in the last 5 minutes: its queue is full, or what it sends is refused.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
    Alert(
        name="MitaMetricOverflow",
        expression=total(
            new_or_more(
                telemetry.METRIC_OVERFLOW_MEASUREMENTS.prometheus_name, "15m", _PROCESS_WAS.replace("5m", "15m")
            ),
            "mita_instrument_name",
        )
        + " > 0",
        lasting="5m",
        severity="info",
        tier=3,
        category="pipeline",
        by=(*SERVICE, "mita_instrument_name"),
        summary="{{ $labels.mita_instrument_name }} of {{ $labels.service_name }} has as many series as it may",
        description="{{ $value | humanize }} measurements of the last 15 minutes are filed under one series of all.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
)


def _of_rules(counter: str) -> str:
    """Return what Prometheus and Loki count of their rules, by group."""
    counted = " or ".join(f"increase({whose}prometheus_rule_{counter}_total[5m])" for whose in ("", "loki_"))
    return f"sum by (job, rule_group) ({counted})"


_ALERTING: Final = (
    Alert(
        name="MitaAlertDeliveryFailing",
        expression=(
            "sum by (integration) (increase(alertmanager_notifications_failed_total[5m]))"
            " / sum by (integration) (increase(alertmanager_notifications_total[5m])) > 0.01"
        ),
        lasting="1m",
        keep="5m",
        severity="critical",
        tier=1,
        category="pipeline",
        by=("integration",),
        summary="Alerts do not arrive by {{ $labels.integration }}",
        description="{{ $value | humanizePercentage }} of the notifications of the last 5 minutes failed.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
    Alert(
        name="MitaAlertmanagerUnreachable",
        expression=(
            "min by (job) (prometheus_notifications_alertmanagers_discovered) < 1\n"
            "or sum by (job) (increase(prometheus_notifications_errors_total[5m]))"
            " / sum by (job) (increase(prometheus_notifications_sent_total[5m])) > 0.5"
        ),
        lasting="2m",
        severity="critical",
        tier=1,
        category="pipeline",
        by=("job",),
        summary="{{ $labels.job }} cannot reach Alertmanager",
        description="It knows of none, or more than half of what it sends fails: alerts are not told to anybody.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
    Alert(
        name="MitaRuleEvaluationFailing",
        expression=(f"{_of_rules('evaluation_failures')} > 0\nor {_of_rules('group_iterations_missed')} > 2"),
        lasting="2m",
        severity="critical",
        tier=1,
        category="pipeline",
        by=("job", "rule_group"),
        summary="Rules of {{ $labels.job }} are not evaluated",
        description="{{ $value | humanize }} evaluations of {{ $labels.rule_group }} failed or were left out in the"
        " last 5 minutes: its alerts are blind.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
    Alert(
        name="MitaWatchdog",
        expression="vector(1)",
        severity="info",
        tier=3,
        category="pipeline",
        by=(),
        summary="Alerts are evaluated and sent",
        description="It always fires. Whoever stops hearing of it is to wake somebody: nothing else can tell that"
        " alerting itself is dead.",
        dashboard=uids.TELEMETRY,
        traces=None,
    ),
)

PIPELINE: Final = (*_TELEMETRY, *_ALERTING)
"""Source: collector's own telemetry; Prometheus's and Alertmanager's mixins."""
