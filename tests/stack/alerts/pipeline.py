"""Cases of the alerts on what carries telemetry and alerts."""

from tests.stack.alerts.case import Case, Told, alive, counted, held, named

_SHOP = {"service_name": "shop"}
_COLLECTOR = 'job="otelcol", instance="otelcol:1"'


def _of(name: str, **labels: str) -> str:
    matchers = [_COLLECTOR, *(f'{key}="{value}"' for key, value in labels.items())]
    return f"{name}{{{', '.join(matchers)}}}"


def _up(job: str, values: str) -> dict[str, str]:
    return {f'up{{job="{job}", instance="{job}:1"}}': values}


COLLECTOR = (
    Case(
        alert="MitaTelemetryQueueGrowing",
        shows="a queue is 2 % full for 10 minutes; another 0.5 %, a third 5 % for 45 s",
        series={
            _of("otelcol_exporter_queue_size", exporter="otlp/a", data_type="traces"): held((20, 0), (40, 2), (40, 0)),
            _of("otelcol_exporter_queue_capacity", exporter="otlp/a", data_type="traces"): held((100, 100)),
            _of("otelcol_exporter_queue_size", exporter="otlp/b", data_type="logs"): held((20, 0), (40, 0.5), (40, 0)),
            _of("otelcol_exporter_queue_capacity", exporter="otlp/b", data_type="logs"): held((100, 100)),
            _of("otelcol_exporter_queue_size", exporter="otlp/c", data_type="logs"): held((20, 0), (3, 5), (77, 0)),
            _of("otelcol_exporter_queue_capacity", exporter="otlp/c", data_type="logs"): held((100, 100)),
        },
        quiet=("5m", "5m45s", "15m15s"),
        told={"6m15s": (Told(labels={"exporter": "otlp/a"}, value={"humanizePercentage": "2%"}),)},
    ),
    Case(
        alert="MitaTelemetryDropped",
        shows="a counter is born with the first three items that are lost; nothing is lost by another exporter",
        series={
            **_up("otelcol", held((100, 1))),
            _of("otelcol_exporter_send_failed_spans_total", exporter="otlp/a"): counted(40, (60, 0), start=3),
            _of("otelcol_exporter_enqueue_failed_log_records_total", exporter="otlp/b"): counted((100, 0), start=7),
        },
        quiet=("9m45s", "15m15s"),
        told={"10m15s": (Told(labels={"exporter": "otlp/a"}, value={"humanize": "3"}),)},
    ),
    Case(
        alert="MitaTelemetryDropped",
        shows="Prometheus was away for 15 minutes, and finds what was lost before",
        series={
            **_up("otelcol", "1+0x19 _x60 1+0x39"),
            _of("otelcol_exporter_send_failed_spans_total", exporter="otlp/a"): "5+0x19 _x60 5+0x39",
        },
        quiet=("20m", "20m15s", "22m", "24m", "25m", "26m"),
    ),
    Case(
        alert="MitaTelemetryRefused",
        shows="the receiver refuses for a minute, and no longer",
        series={
            **_up("otelcol", held((100, 1))),
            _of("otelcol_receiver_refused_spans_total", receiver="otlp", transport="http"): counted(
                (20, 0), (4, 10), (76, 0)
            ),
            _of("otelcol_receiver_refused_log_records_total", receiver="otlp", transport="grpc"): counted((100, 0)),
        },
        quiet=("5m", "11m15s"),
        told={"6m": (Told(labels={"receiver": "otlp", "transport": "http"}, value={"humanize": "40"}),)},
    ),
    Case(
        alert="MitaStackComponentDown",
        shows="one does not answer for 10 minutes, one is no longer asked; others are for 45 s, or none of the stack",
        series={
            **_up("loki", held((20, 1), (40, 0), (40, 1))),
            **_up("jaeger", counted((20, 0), start=1)),
            **_up("prometheus", held((20, 1), (3, 0), (77, 1))),
            **_up("somebody", held((20, 1), (80, 0))),
        },
        quiet=("5m", "5m45s"),
        told={
            "6m15s": (Told(labels={"job": "loki"}),),
            "12m": (Told(labels={"job": "jaeger"}), Told(labels={"job": "loki"})),
            "20m": (Told(labels={"job": "jaeger"}),),
        },
    ),
)

SERVICES = (
    Case(
        alert="MitaTelemetryAbsent",
        shows="both services of a place fall silent together; those of another place go on",
        series={
            f"process_uptime_seconds{{{named()}}}": counted((40, 15), 40, (60, 15)),
            f"process_uptime_seconds{{{named('shop2')}}}": counted((41, 15), 40, (60, 15)),
            **alive(140, "calm", deployment_environment_name="staging"),
            **alive(40, "gone", deployment_environment_name="staging"),
        },
        quiet=("10m", "11m45s", "21m", "30m"),
        told={"13m": (Told(labels={}, value={"plain": "2"}),), "19m": (Told(labels={}, value={"plain": "2"}),)},
    ),
    Case(
        alert="MitaTelemetryAbsent",
        shows="the only service falls silent: that is told as its being down",
        series=alive(40),
        quiet=("12m", "15m", "25m"),
    ),
    Case(
        alert="MitaSdkDropping",
        shows="a counter is born with 12 spans that are lost; another, of a process that has just begun, with one",
        series={
            **alive(100),
            f"otel_sdk_processor_span_processed_total{{{named(error_type='queue_full')}}}": counted(
                40, (60, 0), start=12
            ),
            f"otel_sdk_processor_span_processed_total{{{named()}}}": counted((100, 100)),
            f"process_uptime_seconds{{{named('young')}}}": counted(40, (60, 15)),
            f"otel_sdk_exporter_log_exported_total{{{named('young', error_type='refused')}}}": counted(
                41, (59, 0), start=1
            ),
        },
        quiet=("9m45s", "21m"),
        told={
            "10m30s": (
                Told(labels={**_SHOP, "kind": "spans dropped"}, value={"humanize": "12"}),
                Told(labels={"service_name": "young", "kind": "log records not exported"}, value={"humanize": "1"}),
            )
        },
    ),
    Case(
        alert="MitaSdkDropping",
        shows="telemetry was away for 10 minutes, Prometheus or the way to it, and what was lost before is found again",
        series={
            f"process_uptime_seconds{{{named()}}}": "900+15x19 _x40 1800+15x39",
            f"otel_sdk_processor_span_processed_total{{{named(error_type='queue_full')}}}": "7+0x19 _x40 7+0x39",
        },
        quiet=("15m", "15m15s", "17m", "20m", "21m"),
    ),
    Case(
        alert="MitaMetricOverflow",
        shows="an instrument is full for half an hour; another one was before",
        series={
            **alive(300),
            f"mita_metric_overflow_measurements_total{{{named(mita_instrument_name='mita.x')}}}": counted(
                (80, 0), (120, 5), (100, 0)
            ),
            f"mita_metric_overflow_measurements_total{{{named(mita_instrument_name='mita.y')}}}": counted(
                (300, 0), start=900
            ),
        },
        quiet=("20m", "25m", "67m"),
        told={"40m": (Told(labels={**_SHOP, "mita_instrument_name": "mita.x"}, value={"humanize": "300"}),)},
    ),
)

_SENT = 'alertmanager_notifications_total{job="alertmanager", instance="a", integration="%s"}'
_FAILED = 'alertmanager_notifications_failed_total{job="alertmanager", instance="a", integration="%s", reason="%s"}'
_OF_LOKI = 'job="loki", instance="l"'
_OF_PROMETHEUS = 'job="prometheus", instance="p"'

ALERTING = (
    Case(
        alert="MitaAlertDeliveryFailing",
        shows="every message to one channel fails; one of two hundred to another, and that it has none is no failure",
        series={
            _SENT % "slack": counted((20, 0), (40, 1), (60, 0)),
            _FAILED % ("slack", "serverError"): counted((20, 0), (40, 1), (60, 0)),
            _FAILED % ("slack", "clientError"): counted((120, 0)),
            _SENT % "email": counted((120, 10)),
            _FAILED % ("email", "other"): counted((20, 0), (40, 0.05), (60, 0)),
            _SENT % "pagerduty": counted((120, 0)),
            _FAILED % ("pagerduty", "other"): counted((120, 0)),
        },
        quiet=("5m", "6m", "26m"),
        told={"7m": (Told(labels={"integration": "slack"}, value={"humanizePercentage": "100%"}),)},
    ),
    Case(
        alert="MitaAlertmanagerUnreachable",
        shows="what is sent is not taken for 10 minutes; another Prometheus knows of no Alertmanager at all",
        series={
            f"prometheus_notifications_alertmanagers_discovered{{{_OF_PROMETHEUS}}}": held((100, 1)),
            f'prometheus_notifications_sent_total{{{_OF_PROMETHEUS}, alertmanager="a"}}': counted((100, 2)),
            f'prometheus_notifications_errors_total{{{_OF_PROMETHEUS}, alertmanager="a"}}': counted(
                (20, 0), (40, 2), (40, 0)
            ),
            'prometheus_notifications_alertmanagers_discovered{job="other", instance="q"}': held(
                (20, 1), (40, 0), (40, 1)
            ),
        },
        quiet=("5m", "6m30s", "22m"),
        told={
            "7m15s": (Told(labels={"job": "other"}),),
            "12m": (Told(labels={"job": "other"}), Told(labels={"job": "prometheus"})),
        },
    ),
    Case(
        alert="MitaRuleEvaluationFailing",
        shows="groups of both fail each time, another is not evaluated in time; a third missed one, at a restart",
        series={
            f'prometheus_rule_evaluation_failures_total{{{_OF_PROMETHEUS}, rule_group="/r/a.yml;one"}}': counted(
                (20, 0), (40, 1), (40, 0)
            ),
            f'loki_prometheus_rule_evaluation_failures_total{{{_OF_LOKI}, rule_group="/l/b.yml;four"}}': counted(
                (20, 0), (40, 1), (40, 0)
            ),
            f'prometheus_rule_group_iterations_missed_total{{{_OF_PROMETHEUS}, rule_group="/r/a.yml;two"}}': counted(
                (20, 0), (40, 1), (40, 0)
            ),
            f'prometheus_rule_group_iterations_missed_total{{{_OF_PROMETHEUS}, rule_group="/r/a.yml;three"}}': counted(
                (20, 0), (1, 1), (79, 0)
            ),
        },
        quiet=("5m", "6m30s", "21m"),
        told={
            "12m": (
                Told(labels={"job": "loki", "rule_group": "/l/b.yml;four"}, value={"humanize": "20"}),
                Told(labels={"job": "prometheus", "rule_group": "/r/a.yml;one"}, value={"humanize": "20"}),
                Told(labels={"job": "prometheus", "rule_group": "/r/a.yml;two"}, value={"humanize": "20"}),
            )
        },
    ),
    Case(
        alert="MitaWatchdog",
        shows="it fires from the first evaluation on, whatever else is known",
        series={},
        told={"0s": (Told(labels={}),), "30m": (Told(labels={}),)},
    ),
)

PIPELINE = (*COLLECTOR, *SERVICES, *ALERTING)
