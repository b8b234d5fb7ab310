"""What Grafana is given."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from mita_otel.dashboards import UIDS, path
from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.derived import DERIVED
from mita_otel.slo import series
from tests.fixtures.service import ROOT
from tests.unit.dashboards.files import FOLDER, every_query, panels, queries, read

PANELS: Final = {
    "mita-overview": {
        "Request rate": "Request rate",
        "Error rate": "Error rate",
        "P50/P95/P99 latency": "Latency",
        "Availability": "Availability (30 days)",
        "Active users": "Active users",
        "Database connections": "Database connections",
        "Cache hit rate": "Cache hit rate",
        "Circuit breaker states": "Circuit breakers",
    },
    "mita-business": {
        "Transactions created, count": "Transactions created",
        "Transactions created, value": "Worth of transactions",
        "Budget calculations, count": "Budget calculations",
        "Budget calculations, success rate": "Budgets worked out well",
        "OCR processing, count": "Receipts read by outcome",
        "OCR processing, duration": "Time to read a receipt",
        "OCR processing, success rate": "Receipts read well",
        "AI insights generated": "Insights generated",
        "User registrations": "User registrations",
        "Active sessions": "Active sessions",
        "Revenue metrics": "Revenue",
    },
    "mita-performance": {
        "Endpoint latency (heatmap)": "Endpoint latency",
        "Slow queries (top 10)": "Slow queries (top 10)",
        "Database query duration": "Database query duration",
        "Cache performance": "Cache command duration",
        "External API latency": "External API latency",
        "Memory usage": "Memory of processes",
        "CPU usage": "CPU of processes",
        "Disk I/O": "Disk I/O",
    },
    "mita-reliability": {
        "Error rate by category": "Error rate by category",
        "Rate limit violations": "Rate limit violations",
        "Circuit breaker trips": "Circuit breaker trips",
        "Failed authentications": "Failed authentications",
        "Database connection errors": "Database connection errors",
        "Health check status": "Health check status",
    },
    "mita-slo": {
        "Availability SLO vs actual": "Availability SLO vs actual",
        "Error budget burn rate": "Error budget burn rate",
        "Latency SLO compliance": "Latency SLO compliance",
        "Correctness metrics": "Correctness metrics",
        "SLO trend (30 days)": "SLO trend (30 days)",
    },
}
"""Our panel for each that the report lists. Source: observability report, section 6.1 #3."""

CURRENT: Final = {"timeseries", "stat", "table", "heatmap", "gauge", "bargauge", "logs", "state-timeline"}
_BACKENDS: Final = ("otelcol_", "prometheus_", "loki_", "alertmanager_")
_RULED: Final = {value for name, value in vars(series).items() if name.isupper() and isinstance(value, str)}


def test_uids_are_those_that_alerts_and_bookmarks_know() -> None:
    assert set(UIDS) == {*PANELS, "mita-service", "mita-telemetry"}
    assert {file.stem for file in FOLDER.glob("*.json")} == set(UIDS)
    assert [read(uid)["uid"] for uid in UIDS] == list(UIDS)


@pytest.mark.parametrize("uid", PANELS)
def test_a_dashboard_has_every_panel_that_the_report_lists(uid: str) -> None:
    titles = {panel["title"] for panel in panels(uid)}
    assert {listed for listed, ours in PANELS[uid].items() if ours not in titles} == set()


@pytest.mark.parametrize("uid", UIDS)
def test_a_file_says_nothing_that_grafanas_types_do_not_know(uid: str) -> None:
    # What a type does not know is gone when its object is written again.
    register_default_plugins()
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(read(uid))))
    assert list(_lost(read(uid), again)) == []


def _lost(ours: Any, theirs: Any, at: str = "") -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            yield from _lost(value, theirs[key], f"{at}.{key}") if key in theirs else (f"{at}.{key}",)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (value, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from _lost(value, other, f"{at}[{number}]")
    elif ours != theirs:
        yield f"{at}: {ours} became {theirs}"


@pytest.mark.parametrize("uid", UIDS)
def test_every_panel_is_of_a_current_kind_and_says_what_it_shows(uid: str) -> None:
    for panel in panels(uid):
        assert panel["type"] in CURRENT, panel["title"]
        assert re.search(r"(From|recorded|Recorded) .*\.$|of a whole service\.$", panel["description"]), panel["title"]
        assert panel["type"] == "logs" or panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]


@pytest.mark.parametrize("uid", UIDS)
def test_titles_and_numbers_of_panels_are_unique(uid: str) -> None:
    titles = Counter(panel["title"] for panel in panels(uid))
    numbers = Counter(panel["id"] for panel in read(uid)["panels"])
    assert {value: count for value, count in [*titles.items(), *numbers.items()] if count > 1} == {}


@pytest.mark.parametrize("uid", UIDS)
def test_panels_fit_and_do_not_overlap(uid: str) -> None:
    places = [panel["gridPos"] for panel in read(uid)["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    overlapping = [(a, b) for a, b in combinations(places, 2) if _meet(a, b, "x", "w") and _meet(a, b, "y", "h")]
    assert overlapping == []


def _meet(one: dict[str, int], other: dict[str, int], at: str, size: str) -> bool:
    return one[at] < other[at] + other[size] and other[at] < one[at] + one[size]


@pytest.mark.parametrize("uid", UIDS)
def test_queries_name_only_variables_that_the_dashboard_has(uid: str) -> None:
    named = {"__rate_interval", "__interval", "__interval_ms", "__range", "__range_s", "__auto"}
    known = {variable["name"] for variable in read(uid)["templating"]["list"]} | named
    for asked in queries(uid):
        used = set(re.findall(r"\$\{?([a-z_]\w+)", asked.target["expr"] + asked.target["datasource"]["uid"]))
        assert used - known == set(), asked.panel


@pytest.mark.parametrize("uid", UIDS)
def test_rates_are_over_what_grafana_knows_to_hold_enough_samples(uid: str) -> None:
    for asked in queries(uid):
        ranges = set(re.findall(r"\[([^]]+)\]", asked.target["expr"]))
        assert ranges <= {"$__rate_interval", "$__range", "$__auto"}, asked.panel


def test_queries_ask_for_series_that_there_are() -> None:
    derived = {name for row in DERIVED for name in row.records()}
    known = {instrument.prometheus_name for instrument in INSTRUMENTS.values()} | derived | _RULED | {"up", "ALERTS"}
    for uid, asked in every_query():
        if asked.target["datasource"]["uid"] == "${metrics}":
            expression = re.sub(r'"[^"]*"|\{[^}]*\}|(?:by|on|group_left|without) \([^)]*\)', "", asked.target["expr"])
            names = set(re.findall(r"[a-zA-Z_][a-zA-Z0-9_:]*_[a-zA-Z0-9_:]+|\bup\b|ALERTS", expression))
            names = {name for name in names if not name.startswith(("__", *_BACKENDS)) and f"{name}(" not in expression}
            unknown = {
                name for name in names if name not in known and re.sub("_(bucket|count|sum)$", "", name) not in known
            }
            assert unknown == set(), (uid, asked.panel)


@pytest.mark.parametrize("uid", UIDS)
def test_links_lead_to_dashboards_that_there_are_and_keep_time_and_variables(uid: str) -> None:
    [others] = read(uid)["links"]
    assert (others["keepTime"], others["includeVars"]) == (True, True)
    assert set(others["tags"]) <= set(read(uid)["tags"])
    for panel in panels(uid):
        for link in panel.get("links", ()):
            assert re.fullmatch(r"/d/([\w-]+)\?\$\{__url_time_range\}&\$\{__all_variables\}", link["url"])
            assert link["url"].split("/")[2].partition("?")[0] in set(UIDS) - {uid}


def test_an_overdrawn_budget_is_not_cut_off_and_a_share_of_nearly_all_can_be_read() -> None:
    drawn = {panel["title"]: panel["fieldConfig"]["defaults"] for panel in panels("mita-slo")}
    assert [drawn[title].get("min") for title in ("Error budget burn-down", "Budget left over 30 days")] == [None, None]
    assert "axisSoftMin" not in drawn["SLO trend (30 days)"]["custom"]


def test_a_row_leads_to_what_it_is_about() -> None:
    [slowest] = [panel for panel in panels("mita-performance") if panel["title"] == "Slowest endpoints"]
    [url] = [
        link["url"]
        for override in slowest["fieldConfig"]["overrides"]
        for one in override["properties"]
        if one["id"] == "links"
        for link in one["value"]
    ]
    assert url.startswith("/d/mita-service?${__url_time_range}&")
    assert url.endswith("&var-route=${__value.raw}")


def test_containers_have_the_dashboards_and_the_data_sources_that_these_choose_at_first() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]["grafana"]
    provisioning = ROOT / "collector" / "grafana" / "provisioning"
    [provider] = yaml.safe_load((provisioning / "dashboards" / "mita.yaml").read_text())["providers"]
    inside = provider["options"]["path"]
    assert f"./collector/grafana/dashboards:{inside}:ro" in compose["volumes"]
    home = compose["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{inside}/mita-overview.json"
    sources = yaml.safe_load((provisioning / "datasources" / "mita.yaml").read_text())["datasources"]
    chosen = {
        one["current"]["value"] for one in read("mita-overview")["templating"]["list"] if one["type"] == "datasource"
    }
    assert chosen <= {source["uid"] for source in sources}


def test_latencies_lead_to_traces() -> None:
    shown = {uid for uid, asked in every_query() if asked.target.get("exemplar")}
    assert shown >= {"mita-overview", "mita-business", "mita-performance", "mita-service"}


@pytest.mark.parametrize("uid", UIDS)
def test_a_variable_without_values_leaves_its_panels_as_they_are(uid: str) -> None:
    for variable in read(uid)["templating"]["list"]:
        if variable["type"] == "query":
            assert (variable["includeAll"], variable["current"]["value"]) == (True, ["$__all"])
            assert variable["allValue"] in {".*", ".+"}


def test_a_path_chooses_by_variables_and_leaves_templates_of_alerts_alone() -> None:
    service = "{{ $labels.service_name }}"
    assert path("mita-slo", service=service, slo="a b&c") == f"/d/mita-slo?var-service={service}&var-slo=a%20b%26c"
    with pytest.raises(ValueError, match="mita-overview"):
        path("mita-overvieuw")
    with pytest.raises(ValueError, match="environment"):
        path("mita-slo", servise="shop")


def test_what_runs_in_production_does_not_need_grafanas_types() -> None:
    asked = (
        "import sys, mita_otel.generate, mita_otel.cli, mita_otel.generate.dashboards_page as page; page.page();"
        "sys.exit(any('grafana_foundation' in name for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", asked], check=False, timeout=60).returncode == 0
