"""The table of alerts: every row says what the next reader needs, of what is measured."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from mita_otel.alerts import ALERTS, METRIC_ALERTS, SIGNALS, Alert, Places, links
from mita_otel.alerts.promql import new_or_more, quantile, share
from mita_otel.dashboards.uids import VARIABLES
from mita_otel.metrics.catalogue import INSTRUMENTS, http
from mita_otel.slo import series

OTHERS = {
    *("up", "otelcol_exporter_queue_size", "otelcol_exporter_queue_capacity"),
    *(
        f"otelcol_exporter_{how}_failed_{what}_total"
        for how in ("send", "enqueue")
        for what in ("spans", "log_records")
    ),
    *(f"otelcol_exporter_{how}_failed_metric_points_total" for how in ("send", "enqueue")),
    *(f"otelcol_receiver_refused_{what}_total" for what in ("spans", "metric_points", "log_records")),
    *("alertmanager_notifications_failed_total", "alertmanager_notifications_total"),
    *("prometheus_notifications_alertmanagers_discovered", "prometheus_notifications_errors_total"),
    "prometheus_notifications_sent_total",
    *(f"{whose}prometheus_rule_evaluation_failures_total" for whose in ("", "loki_")),
    *(f"{whose}prometheus_rule_group_iterations_missed_total" for whose in ("", "loki_")),
}
"""Series of the Collector, Prometheus, Loki and Alertmanager."""

_NAME = re.compile(
    r"(?<![\w\"$:])((?:mita|otel|http|db|process|prometheus|loki|alertmanager|up)[a-z0-9_:]*)(?=[{\[ )]|$)"
)
_LABEL = re.compile(r"\$labels\.(\w+)")


def _by_name(alert: Alert) -> str:
    return alert.name


@pytest.mark.parametrize("alert", METRIC_ALERTS, ids=_by_name)
def test_an_alert_asks_for_nothing_that_is_not_measured(alert: Alert) -> None:
    counted = {each.prometheus_name for each in INSTRUMENTS.values()}
    known = counted | {f"{name}{part}" for name in counted for part in ("_bucket", "_count", "_sum")}
    known |= {name for name in vars(series).values() if isinstance(name, str)} | set(SIGNALS) | OTHERS
    labels = {label.replace(".", "_") for each in INSTRUMENTS.values() for label in each.attribute_names}
    asked = set(_NAME.findall(alert.expression))
    assert asked - known - labels == set()


@pytest.mark.parametrize("alert", ALERTS, ids=_by_name)
def test_words_and_links_speak_of_labels_only_that_the_alert_bears(alert: Alert) -> None:
    texts = [alert.summary, alert.description, *links(alert, Places()).values()]
    assert {label for text in texts for label in _LABEL.findall(text)} <= set(alert.by)


@pytest.mark.parametrize("alert", ALERTS, ids=_by_name)
def test_an_alert_says_whom_it_concerns_and_where_to_look(alert: Alert) -> None:
    assert alert.name.startswith("Mita")
    assert (alert.tier is None) == ("tier" in alert.by)
    assert alert.summary
    assert not alert.summary.endswith(".")
    assert alert.description.endswith((".", ")"))
    assert {"runbook_url", "dashboard_url"} <= set(links(alert, Places()))


def test_every_alert_has_a_name_of_its_own() -> None:
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)


def test_a_runbook_is_named_as_the_alert() -> None:
    [alert] = [each for each in ALERTS if each.name == "MitaDatabasePoolExhaustionPredicted"]
    assert alert.runbook == "database-pool-exhaustion-predicted"


def _filled(url: str, **labels: str) -> str:
    url = re.sub(r"\{\{ with \$labels\.(\w+) \}\}(.*?)\{\{ end \}\}", lambda at: at[2] if at[1] in labels else "", url)
    return re.sub(r"\{\{ .*?(\w*) \| urlquery \}\}", lambda at: labels.get(at[1], labels["service_name"]), url)


def test_a_link_to_traces_asks_jaeger_for_the_tags() -> None:
    [alert] = [each for each in ALERTS if each.name == "MitaHighLatency"]
    url = urlsplit(_filled(links(alert, Places(jaeger="https://j.example/base/"))["traces_url"], service_name="shop"))
    assert (url.netloc, url.path) == ("j.example", "/base/search")
    assert parse_qs(url.query) == {"service": ["shop"], "lookback": ["1h"], "limit": ["20"], "minDuration": ["1s"]}


def test_a_link_to_logs_holds_its_query_however_that_is_written() -> None:
    [alert] = [each for each in ALERTS if each.name == "MitaHighAuthenticationFailureRate"]
    url = _filled(links(alert, Places(loki="mine"))["logs_url"], service_name="shop")
    [pane] = parse_qs(urlsplit(url).query)["panes"]
    assert r'"expr":"{service_name=\"shop\", mita_log_stream=\"security\"}"' in unquote(pane)
    assert '"datasource":"mine"' in pane


def test_a_label_that_is_missing_chooses_nothing_on_a_dashboard() -> None:
    [alert] = [each for each in ALERTS if each.name == "MitaServiceDown"]
    link = links(alert, Places())["dashboard_url"]
    assert parse_qs(urlsplit(_filled(link, service_name="shop")).query) == {"orgId": ["1"], "var-service": ["shop"]}
    assert set(re.findall(r"var-(\w+)=", link)) <= set(VARIABLES)


def test_a_threshold_between_two_buckets_is_refused() -> None:
    with pytest.raises(ValueError, match=r"has no bucket that ends at 0\.6"):
        quantile(http.SERVER_REQUEST_DURATION, 0.95, above=0.6, at_least=5, window="5m")


def test_a_share_is_one_of_sums_in_both_windows() -> None:
    by = "sum by (service_name, deployment_environment_name)"
    assert share("a", "b", above=0.1, at_least=3, window="5m", still="2m").splitlines() == [
        f"{by} (increase(a[5m])) / {by} (increase(b[5m])) > 0.1",
        f"and {by} (increase(a[2m])) / {by} (increase(b[2m])) > 0.1",
        f"and {by} (increase(a[5m])) >= 3",
    ]


def test_a_new_counter_counts_whole_only_if_its_process_was_seen_before() -> None:
    assert new_or_more("a", "5m", "b") == "(a unless a offset 5m and on (job, instance) b or increase(a[5m]))"
