"""Every alert has its page, and what a page says to look at or to type is there: a wrong name is worse than none."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
import typer
import yaml
from typer.core import TyperGroup

from app.settings import Settings as AppSettings
from mita_otel.alerts import ALERTS, Alert, Places, links
from mita_otel.cli import app as command_line
from mita_otel.cli.lazy import Later
from mita_otel.dashboards import UIDS
from mita_otel.dashboards.uids import VARIABLES
from mita_otel.degradation.modes import Mode
from mita_otel.generate import PARTLY
from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.derived import DERIVED, Renamed
from mita_otel.metrics.instrument import Histogram
from mita_otel.metrics.naming import prometheus_label
from mita_otel.web.administration import PAGES as ADMINISTRATION
from mita_otel.web.administration import PATH as DOCTOR
from mita_otel.web.breakers import PATH as BREAKERS
from mita_otel.web.breakers import WORDS
from tests.fixtures.runbooks import FOLDER, FOREIGN, PAGES, SENT, WRITTEN, Runbook, clauses, matchers, selections
from tests.fixtures.service import ROOT

PARTS: Final = [
    "What it means",
    "What users feel",
    "First three looks",
    "Likely causes",
    "Safe actions",
    "Do not",
    "Silence",
    "Over when",
    "Afterwards",
]

_OF_ALL: Final = frozenset({"service_name", "service_version", "service_instance_id", "host_name", "job", "instance"})
_OF_OTHERS: Final = frozenset(
    {"exporter", "receiver", "transport", "integration", "reason", "rule_group", "alertname", "alertstate", "severity"}
)
_OF_LOKI: Final = frozenset({"scope_name", "severity_text", "severity_number", "trace_id", "service_name"})
_JAEGERS: Final = frozenset({"error"})
_ENDPOINTS: Final = frozenset(
    {
        *("/health/live", "/health/ready", "/health/startup", "/health/production", "/health/comprehensive"),
        *("/slo/status", "/slo/explain", DOCTOR, *ADMINISTRATION),
    }
)
_OF_BACKENDS: Final = frozenset(
    {"/-/ready", "/-/reload", "/ready", "/api/v1/rules", "/api/v1/alertmanagers", "/prometheus/api/v1/rules"}
)

every_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
every_page = pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.path.stem)


@cache
def _sources() -> str:
    paths = [path for room in ("mita_otel", "app", "collector") for path in (ROOT / room).rglob("*")]
    return "\n".join(path.read_text("utf-8") for path in paths if path.suffix in {".py", ".yaml", ".yml", ".ini"})


@cache
def _series() -> Mapping[str, Mapping[str, tuple[Any, ...]]]:
    """Return every series that is ours, with its labels and, of closed sets, their values."""
    known: dict[str, dict[str, tuple[Any, ...]]] = {}
    for instrument in INSTRUMENTS.values():
        labels = {prometheus_label(each.name): each.values for each in instrument.attributes}
        parts = ("_bucket", "_sum", "_count") if isinstance(instrument, Histogram) else ("",)
        known |= {f"{instrument.prometheus_name}{part}": labels for part in (*parts, "")}
    for made in DERIVED:
        of = {prometheus_label(a.name): a.values for a in made.source.attributes} if isinstance(made, Renamed) else {}
        more = dict.fromkeys(made.labels if isinstance(made, Renamed) else ("endpoint", "cache", "policy"), ())
        known |= {name: {**of, **more} for name in (*made.records(), made.name)}
    for path in (ROOT / "collector" / "prometheus" / "rules").glob("*.yml"):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                known.setdefault(rule.get("record", ""), dict.fromkeys(("slo", "window", "period", "tier"), ()))
    return known


@cache
def _of_alerts() -> str:
    return "\n".join(alert.expression for alert in ALERTS)


def _wrong_names(query: str) -> Iterable[str]:
    """Yield what a query in PromQL names that there is not: series, labels, values of closed sets."""
    for series, labels in selections(query):
        if series in FOREIGN or (series not in _series() and series in _of_alerts()):
            continue
        known = _series().get(series)
        if known is None:
            yield series
            continue
        for label, values in labels.items():
            if label not in known.keys() | _OF_ALL | {"le"}:
                yield f"{series}{{{label}}}"
            elif allowed := known.get(label):
                yield from (f'{label}="{value}"' for value in values if value and value not in allowed)
    every = {label for labels in _series().values() for label in labels} | _OF_ALL | _OF_OTHERS | {"le"}
    yield from clauses(query) - every


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    expected = {alert.runbook for alert in ALERTS} | {SENT.path.stem, "index"}
    assert {path.stem for path in FOLDER.glob("*.md")} == expected


@pytest.mark.parametrize("name", PARTLY)
def test_what_is_generated_of_a_page_is_up_to_date(name: str) -> None:
    written = (ROOT / name).read_text()
    assert PARTLY[name](written) == written, "run 'make docs'"


@every_alert
def test_the_alert_leads_to_its_page(alert: Alert) -> None:
    path = urlsplit(links(alert, Places())["runbook_url"]).path
    page = ROOT / "docs" / Path(path.lstrip("/")).with_suffix(".md")
    assert page == PAGES[alert.name].path
    assert page.read_text().startswith(f"# {alert.name}\n")


@pytest.mark.parametrize("page", [*PAGES.values(), SENT], ids=lambda page: page.path.stem)
def test_a_page_has_its_parts_in_order_and_none_is_empty(page: Runbook) -> None:
    assert page.titles == PARTS
    assert [title for title in PARTS if not page.part(title).strip()] == []


@every_alert
def test_the_first_looks_are_three_with_a_dashboard_a_query_and_a_command(alert: Alert) -> None:
    looks = PAGES[alert.name].part("First three looks")
    assert re.findall(r"^\*\*(\d)\. ", looks, re.MULTILINE) == ["1", "2", "3"]
    assert "127.0.0.1:3000/d/" in looks
    assert [what for what in ("```logql", "```console") if what not in looks] == []
    service = "service_name" in alert.by and alert.traces is not None
    assert not service or "127.0.0.1:16686/search?" in looks


@every_alert
def test_what_silences_an_alert_matches_it_by_labels_that_it_bears(alert: Alert) -> None:
    (given,) = re.findall(r"^Matchers: `([^`]+)`", PAGES[alert.name].part("Silence"), re.MULTILINE)
    named = dict(word.split("=", 1) for word in given.split())
    assert named.pop("alertname") == alert.name
    assert set(named) <= set(alert.by)


@every_page
def test_a_query_in_promql_names_series_labels_and_values_that_there_are(page: Runbook) -> None:
    inline = [code for code in page.inline() if re.fullmatch(r"[a-z][a-z0-9]*_[a-z0-9_:]+\{.*\}", code)]
    assert {wrong for query in (*page.blocks("promql"), *inline) for wrong in _wrong_names(query)} == set()


@every_page
def test_a_query_in_logql_names_fields_and_sentences_that_are_logged(page: Runbook) -> None:
    for query in page.blocks("logql"):
        outside = re.sub(r'"[^"]*"', '""', query)
        fields = {*clauses(query), *matchers(query), *re.findall(r"\|\s*(\w+)\s*(?:=|!=|>|<)", outside)} - _OF_LOKI
        unknown = [name for name in fields if not _is_written(f"[\"']{name.replace('_', '[._]')}[\"']")]
        sentences = [
            each for text in re.findall(r'\|[=~]\s*"([^"]+)"', query) for each in text.split("|") if each.strip()
        ]
        assert (unknown, [each for each in sentences if not _is_written(each)]) == ([], []), query


def _is_written(expression: str) -> bool:
    return re.search(expression, _sources()) is not None


@every_page
def test_a_link_leads_to_a_dashboard_or_a_search_that_there_is(page: Runbook) -> None:
    for address in re.findall(r"\]\((http://127\.0\.0\.1:(?:3000|16686)/[^)]*)\)", page.text):
        parts = urlsplit(address)
        asked = parse_qs(parts.query)
        if parts.port == 3000:
            assert parts.path.removeprefix("/d/") in UIDS, address
            assert set(asked) <= {f"var-{name}" for name in VARIABLES}, address
            continue
        assert set(asked) <= {"service", "lookback", "tags", "minDuration", "operation"}, address
        tags = json.loads(asked.get("tags", ["{}"])[0])
        assert all(isinstance(value, str) for value in tags.values()), address
        names = [*tags.keys() - _JAEGERS, *asked.get("operation", [])]
        assert [name for name in names if not _is_written(f'"{re.escape(name)}"')] == [], address


def _understand(line: str) -> None:
    """Take a command line apart as the program does, without running it.

    Raises:
        Exception: there is no such command, or it has no such option.
    """
    words = [word for word in shlex.split(line)[1:] if word != "..."]
    found: Any = typer.main.get_command(command_line)
    context = typer.Context(found, info_name="mita-otel")
    while isinstance(found, TyperGroup) and words:
        child = found.get_command(context, words[0])
        if child is None:
            raise LookupError(f"there is no {words[0]}")
        found = child._load() if isinstance(child, Later) else child
        context, words = typer.Context(found, parent=context), words[1:]
    if words:
        found.make_context("asked", words, parent=context)


@every_page
def test_a_command_of_ours_is_understood(page: Runbook) -> None:
    for line in [*page.commands(), *page.inline()]:
        if line.startswith("mita-otel "):
            _understand(line)


@pytest.mark.parametrize("line", ["mita-otel slo explian", "mita-otel slo gate --least 1", "mita-otel doctor --app"])
def test_a_command_that_there_is_not_is_noticed(line: str) -> None:
    with pytest.raises(Exception, match=r"explian|least|app"):
        _understand(line)


@every_page
def test_an_address_that_is_asked_is_one_that_answers(page: Runbook) -> None:
    for address in re.findall(r"http://127\.0\.0\.1:[0-9]+/[^\s)>`'\"#]*", "\n".join(page.commands())):
        path = urlsplit(address).path
        if path.startswith(f"{BREAKERS}/"):
            name, word = path.removeprefix(f"{BREAKERS}/").split("/")
            assert word in WORDS
            assert _is_written(f'"{name}": (OPENAI|GOOGLE_OAUTH|EXTERNAL)')
        else:
            assert path in _ENDPOINTS | _OF_BACKENDS | {BREAKERS} or re.fullmatch("/errors/mita_[0-9a-f]{12}", path)


@every_page
def test_a_container_that_a_command_names_is_one_of_composes(page: Runbook) -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    pattern = r"docker compose .*?\b(?:ps|logs|up|restart|exec)\b((?: --?[a-z-]+(?: [0-9]+[a-z]?)?)*)(?: ([a-z]+))?"
    named = [match[1] for line in page.commands() for match in re.findall(pattern, line)]
    assert {name for name in named if name} <= services.keys()


@every_page
def test_a_word_in_capitals_is_a_setting_or_a_code_that_there_is(page: Runbook) -> None:
    words = {word for code in page.inline() for word in re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", code)}
    others = {word for word in words if word.startswith(("OTEL_", "MITA_", "STACK_"))}  # held for all pages together
    settings = {name.upper() for name in AppSettings.model_fields}
    assert [word for word in words - settings - others if word not in _sources()] == []


@every_page
def test_an_objective_that_a_page_names_is_one(page: Runbook) -> None:
    file = (ROOT / "collector" / "slo" / "mita.yaml").read_text()
    named = {name for query in page.blocks("promql") for name in re.findall(r'slo="([^"]+)"', query)}
    named |= {line.split()[3] for line in page.commands() if line.startswith("mita-otel slo explain ")}
    assert [name for name in named if f"name: {name}\n" not in file] == []


def test_the_flag_that_is_shown_is_one_of_a_feature_and_allows_its_modes() -> None:
    (index,) = (page for page in WRITTEN if page.path.stem == "index")
    (shown,) = index.blocks("json")
    ((name, flag),) = json.loads(shown)["flags"].items()
    assert _is_written(f'Feature\\("{name}"')
    assert set(flag["variants"].values()) == set(Mode)
    assert flag["defaultVariant"] in flag["variants"]


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("sum(mita_http_request_total)", "mita_http_request_total"),
        ('mita_circuit_breaker_state{state="opened"}', 'state="opened"'),
        ('mita_timeouts_total{scop="request"}', "mita_timeouts_total{scop}"),
        ("sum by (instnce) (mita_health_ready)", "instnce"),
        ('rate(mita_errors_total{severity=~"high|grave"}[5m]) > 1', 'severity="grave"'),
    ],
)
def test_a_wrong_name_is_noticed(query: str, wrong: str) -> None:
    assert list(_wrong_names(query)) == [wrong]


def test_the_tests_read_something() -> None:
    counts = [sum(len(page.blocks(language)) for page in WRITTEN) for language in ("promql", "logql", "console")]
    assert min(counts) > len(ALERTS)
