"""Where alerts go, and what is written to people, as Alertmanager's own tool says: nothing runs."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mita_otel.alerts import ALERTS
from mita_otel.cli import app
from mita_otel.stack import NativeStack, StackError, versions
from mita_otel.stack.checking import alertmanager_faults, prometheus_faults
from tests.fixtures.alert_sinks import alert_sinks_running
from tests.stack.alerting import TEMPLATES, sample, write_configuration

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

CONFIGURATION = versions.root() / "collector" / "alertmanager" / "alertmanager.yml"
SHOP = {"service_name": "shop", "deployment_environment_name": "production"}
ROUTED = [
    ({"alertname": "MitaErrorBudgetBurnFast", "severity": "critical", "slo": "availability", **SHOP}, "page"),
    ({"alertname": "MitaErrorBudgetBurnSlow", "severity": "warning", "slo": "availability", **SHOP}, "ticket"),
    ({"alertname": "MitaSloViolated", "severity": "info", "slo": "availability", **SHOP}, "info"),
    ({"alertname": "MitaHighErrorRate", "severity": "critical", "tier": "1", **SHOP}, "page"),
    ({"alertname": "MitaHighErrorRate", "severity": "critical", "service_name": "shop"}, "page"),
    ({"alertname": "MitaServiceDown", "severity": "critical", **SHOP}, "page"),
    ({"alertname": "MitaDatabaseDown", "severity": "critical", **SHOP}, "page"),
    ({"alertname": "MitaCacheDown", "severity": "warning", **SHOP}, "ticket"),
    ({"alertname": "MitaCircuitBreakerOpen", "severity": "warning", "service": "rates", **SHOP}, "ticket"),
    ({"alertname": "MitaHighLatency", "severity": "warning", **SHOP}, "ticket"),
    ({"alertname": "MitaDiskSpaceLow", "severity": "warning", "host_name": "a", **SHOP}, "ticket"),
    ({"alertname": "MitaSuspiciousAuthenticationPattern", "severity": "warning", **SHOP}, "ticket"),
    ({"alertname": "MitaAuditTampering", "severity": "critical", **SHOP}, "page"),
    ({"alertname": "MitaMetricOverflow", "severity": "info", **SHOP}, "info"),
    ({"alertname": "MitaTelemetryQueueGrowing", "severity": "warning", "exporter": "otlp_grpc/jaeger"}, "ticket"),
    ({"alertname": "MitaTelemetryDropped", "severity": "critical", "exporter": "otlp_grpc/jaeger"}, "page"),
    ({"alertname": "MitaStackComponentDown", "severity": "critical", "job": "loki"}, "page"),
    ({"alertname": "MitaAlertDeliveryFailing", "severity": "critical", "integration": "slack"}, "page"),
    ({"alertname": "MitaWatchdog", "severity": "info"}, "watchdog"),
    ({"alertname": "MitaWatchdog", "severity": "critical"}, "watchdog"),
    # What a service tells by itself has the severities of errors.
    ({"alertname": "MitaErrorThreshold", "severity": "critical", "category": "system", **SHOP}, "page"),
    ({"alertname": "MitaErrorThreshold", "severity": "high", "category": "database", **SHOP}, "ticket"),
    ({"alertname": "MitaErrorThreshold", "severity": "medium", "category": "validation", **SHOP}, "info"),
    ({"alertname": "MitaErrorThreshold", "severity": "low", "category": "validation", **SHOP}, "info"),
    # What is somebody else's, and odd, is not lost.
    ({"alertname": "Theirs", "severity": "page"}, "ticket"),
    ({"alertname": "Theirs", "severity": "CRITICAL"}, "ticket"),
    ({"alertname": "Theirs"}, "ticket"),
]


Alert = tuple[Mapping[str, str], Mapping[str, str]]
"""Labels and annotations."""


def tool(binaries: Mapping[str, Path], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([binaries["amtool"], *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("labels", "receiver"), ROUTED, ids=[" ".join(labels.values()) for labels, _ in ROUTED])
def test_an_alert_goes_where_its_severity_says(
    binaries: Mapping[str, Path], labels: dict[str, str], receiver: str
) -> None:
    given = [f"{name}={value}" for name, value in labels.items()]
    words = (f"--config.file={CONFIGURATION}", f"--verify.receivers={receiver}", *given)
    done = tool(binaries, "config", "routes", "test", *words)
    assert (done.returncode, done.stdout.strip()) == (0, receiver)


def test_every_alert_of_ours_has_a_severity_that_is_routed() -> None:
    routed = {labels["severity"] for labels, _ in ROUTED if "severity" in labels}
    assert {each.severity for each in ALERTS} <= routed


def test_the_configuration_is_accepted_with_no_channel_and_with_all(
    binaries: Mapping[str, Path], tmp_path: Path
) -> None:
    assert alertmanager_faults(binaries, CONFIGURATION.parent) == []
    with alert_sinks_running(tmp_path / "receivers") as sinks:
        write_configuration(tmp_path / "own", sinks.folder, speed=1)
    assert alertmanager_faults(binaries, tmp_path / "own") == []


LABELS = {"alertname": "MitaHighErrorRate", "severity": "critical", **SHOP}
ANNOTATIONS = {
    "summary": "shop fails 5% of its requests <!channel>",
    "description": "More than 1 %",
    "value": "0.05",
    "runbook_url": "https://docs.example/runbooks/high-error-rate",
    "dashboard_url": "https://grafana.example/d/mita-service?var-service=shop",
    "traces_url": "https://jaeger.example/search?service=shop",
    "logs_url": "https://grafana.example/explore?a=1&b=2",
    "error_id": "mita_507f1f77bcf8",
}


def rendered(binaries: Mapping[str, Path], folder: Path, name: str, status: str, *alerts: Alert) -> str:
    data = folder / "data.json"
    data.write_text(json.dumps(sample(status, *alerts, common=tuple(ANNOTATIONS))))
    options = [f"--template.glob={TEMPLATES / '*.tmpl'}", f"--template.data={data}"]
    if name == "html":
        options.append("--template.type=html")
    done = tool(binaries, "template", "render", *options, f'--template.text={{{{ template "mita.{name}" . }}}}')
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_title_says_how_grave_what_where_and_why(binaries: Mapping[str, Path], tmp_path: Path) -> None:
    said = rendered(binaries, tmp_path, "title", "firing", (LABELS, ANNOTATIONS))
    assert said == ("[FIRING] critical MitaHighErrorRate · shop (production): shop fails 5% of its requests <!channel>")
    over = rendered(binaries, tmp_path, "title", "resolved", (LABELS, {}))
    assert over == "[RESOLVED] critical MitaHighErrorRate · shop (production)"


@pytest.mark.parametrize("name", ["text", "slack", "html"])
def test_a_message_has_everything_that_somebody_looks_for(
    binaries: Mapping[str, Path], tmp_path: Path, name: str
) -> None:
    said = rendered(binaries, tmp_path, name, "firing", (LABELS, ANNOTATIONS)).replace("&amp;", "&")
    links = [value for key, value in ANNOTATIONS.items() if key.endswith("_url")]
    assert [
        link for link in (*links, "More than 1 %", "0.05", "shop fails 5% of its requests") if link not in said
    ] == []
    assert "http://alertmanager:9093/#/silences/new?filter=%7Balertname%3D%22MitaHighErrorRate%22%2C" in said


@pytest.mark.parametrize("name", ["slack", "slack.title", "html"])
def test_words_of_an_alert_do_nothing_where_words_do_something(
    binaries: Mapping[str, Path], tmp_path: Path, name: str
) -> None:
    assert "<!channel>" not in rendered(binaries, tmp_path, name, "firing", (LABELS, ANNOTATIONS))


@pytest.mark.parametrize("name", ["title", "slack.title", "color", "here", "source", "text", "slack", "html"])
@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_an_alert_without_annotations_is_told_all_the_same(
    binaries: Mapping[str, Path], tmp_path: Path, name: str, status: str
) -> None:
    said = rendered(binaries, tmp_path, name, status, (LABELS, {}), ({}, {}))
    assert said
    assert "no value" not in said
    assert "()" not in said


def written(folder: Path, **files: str) -> Path:
    """A folder of Alertmanager's in which one thing is wrong."""
    (folder / "templates").mkdir(parents=True)
    (folder / "templates" / "mita.tmpl").write_text((TEMPLATES / "mita.tmpl").read_text())
    (folder / "alertmanager.yml").write_text(files.get("configuration", CONFIGURATION.read_text()))
    if "template" in files:
        (folder / "templates" / "own.tmpl").write_text(files["template"])
    return folder


@pytest.mark.parametrize(
    ("file", "content", "where"),
    [
        (
            "configuration",
            "route: { receiver: a }\nreceivers:\n- name: a\n  webhok_configs: []\n",
            "alertmanager.yml:4: ",
        ),
        ("configuration", "route: { receiver: a }\nreceivers:\n- name: a\n\t  b: 1\n", "alertmanager.yml:4: "),
        ("configuration", "receivers:\n- name: a\nroute: { receiver: b }\n", "alertmanager.yml:3: "),
        ("template", '{{ define "mine" }}\n\n{{ nobody.knows }}{{ end }}', "templates/own.tmpl:3: "),
        ("template", '{{ define "mita.title" }}\n{{ .Nothing }}{{ end }}', "templates/own.tmpl:2: "),
    ],
    ids=["unknown key", "no yaml", "unknown receiver", "unknown function", "unknown field"],
)
def test_what_would_not_be_taken_is_told_with_its_line(tmp_path: Path, file: str, content: str, where: str) -> None:
    folder = written(tmp_path / "own", **{file: content})
    result = CliRunner().invoke(app, ["alerts", "validate", str(folder)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{folder / where}")


def test_a_stack_that_would_load_it_is_not_started_and_says_where(binaries: Mapping[str, Path], tmp_path: Path) -> None:
    collector = tmp_path / "collector"
    shutil.copytree(versions.root() / "collector", collector, ignore=shutil.ignore_patterns("build", "grafana"))
    (collector / "alertmanager" / "templates" / "own.tmpl").write_text(
        '{{ define "mine" }}\n{{ nobody.knows }}{{ end }}'
    )
    stack = NativeStack(tmp_path / "stack", binaries, collector=collector)
    with pytest.raises(StackError, match=r"(?s)^alertmanager ended while starting.*own\.tmpl:2"):
        stack.up(standard=False)
    assert {status.state for status in stack.status()} == {"stopped"}


def test_a_rule_that_would_not_be_taken_is_told_with_its_line(binaries: Mapping[str, Path], tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text("groups:\n- name: a\n  rules:\n  - alert: A\n    expr: rate(x[)\n")
    (tmp_path / "prometheus.yml").write_text("rule_files: [rules.yml]\n")
    (fault,) = prometheus_faults(binaries, tmp_path / "prometheus.yml")
    assert fault.startswith(f"{tmp_path / 'rules.yml'}:5: ")


def test_everything_of_the_stack_would_be_taken() -> None:
    result = CliRunner().invoke(app, ["alerts", "validate"])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "routes, receivers, templates and rules would be taken\n"
