"""`mita-otel alerts list` and `rules`."""

import json

import pytest
import yaml
from typer.testing import CliRunner

from mita_otel.alerts import ALERTS, LOGS, METRIC_ALERTS, SIGNALS
from mita_otel.cli import app


def _run(*words: str) -> str:
    done = CliRunner().invoke(app, ["alerts", *words])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_alert_is_listed_with_how_grave_it_is() -> None:
    lines = [line.split("\t") for line in _run("list").splitlines()]
    assert [line[0] for line in lines] == [alert.name for alert in ALERTS]
    assert ["MitaServiceDown", "critical", "1", "1m", "availability"] in [line[:5] for line in lines]


def test_programs_are_told_more_of_every_alert() -> None:
    told = {each["name"]: each for each in json.loads(_run("list", "--json"))}
    assert told["MitaHighErrorRate"]["for"] == "5m"
    assert told["MitaHighErrorRate"]["language"] == "promql"
    assert told["MitaErrorLogBurst"]["language"] == "logql"


def test_rules_of_all_alerts_lead_to_where_a_team_has_its_backends() -> None:
    given = (
        "--grafana-url",
        "https://g.example/",
        "--jaeger-url",
        "https://j.example",
        "--docs-url",
        "https://d.example",
    )
    text = _run("rules", *given)
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    assert [rule["alert"] for rule in rules if "alert" in rule] == [alert.name for alert in METRIC_ALERTS]
    assert [rule["record"] for rule in rules if "record" in rule] == list(SIGNALS)
    [down] = [rule for rule in rules if rule.get("alert") == "MitaServiceDown"]
    assert down["annotations"]["runbook_url"] == "https://d.example/runbooks/service-down.html"
    assert down["annotations"]["dashboard_url"].startswith("https://g.example/d/mita-service?")
    assert down["annotations"]["traces_url"].startswith("https://j.example/search?service=")
    assert "127.0.0.1" not in text


def test_rules_for_loki_are_apart() -> None:
    [group] = yaml.safe_load(_run("rules", "--logs"))["groups"]
    assert [rule["alert"] for rule in group["rules"]] == [alert.name for alert in LOGS]


@pytest.mark.parametrize("option", ["--grafana-url", "--jaeger-url", "--docs-url"])
def test_an_address_that_is_none_is_refused_by_its_option(option: str) -> None:
    done = CliRunner().invoke(app, ["alerts", "rules", option, "grafana:3000"])
    assert done.exit_code == 2
    assert f"{option} grafana:3000: a URL begins with http:// or https://" in done.stderr
