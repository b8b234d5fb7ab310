import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from mita_otel.metrics.views import views
from mita_otel.slo.documents import SpecificationError
from mita_otel.slo.specification import load, parse
from mita_otel.slo.windows import Calendar, Rolling
from tests.fixtures.service import ROOT
from tests.unit.slo.openslo import EVENTS, LATENCY, REQUESTS, requests, service, slo, specification, within

FILE = ROOT / "collector" / "slo" / "mita.yaml"
REPORTED = {
    "authentication-availability": 0.9995,
    "authentication-latency-p95": 0.2,
    "authentication-latency-p99": 0.5,
    "transactions-availability": 0.9999,
    "transactions-latency-p95": 0.1,
    "transactions-latency-p99": 0.3,
    "transactions-correctness": 0.99999,
    "budgets-availability": 0.999,
    "budgets-latency-p95": 0.5,
    "budgets-latency-p99": 1,
    "budgets-correctness": 0.9999,
    "ai-insights-availability": 0.995,
    "ai-insights-latency-p95": 2,
    "ai-insights-latency-p99": 5,
    "ocr-availability": 0.99,
    "ocr-latency-p95": 3,
    "ocr-latency-p99": 10,
    "ocr-accuracy": 0.95,
    "analytics-availability": 0.99,
    "analytics-latency-p95": 1,
    "analytics-latency-p99": 3,
    "analytics-freshness": 0.95,
    "calendar-availability": 0.98,
    "calendar-latency-p95": 2,
    "notifications-availability": 0.95,
    "service-availability": 0.999,
    "service-latency-p50": 0.2,
    "service-latency-p95": 0.5,
    "service-latency-p99": 1,
    "service-correctness": 0.9999,
}
"""The report's figures, sections 7.2 and 6.1 #2: seconds for latency, else the share."""


def _problems(*documents: dict[str, Any]) -> list[str]:
    with pytest.raises(SpecificationError) as caught:
        specification(*documents)
    return caught.value.problems


def test_every_objective_of_the_report_is_promised() -> None:
    found = {slo.id: slo.threshold or slo.objective for slo in load(FILE).slos}
    assert found == REPORTED | {"notifications-delivery": 0.95}


def test_a_latency_objective_promises_the_share_that_its_percentile_says() -> None:
    shares = {slo.id.rsplit("-p", 1)[1]: slo.objective for slo in load(FILE).slos if slo.type == "latency"}
    assert shares == {"50": 0.5, "95": 0.95, "99": 0.99}


def test_the_file_holds_to_the_schema_that_editors_read() -> None:
    schema = json.loads(FILE.with_name("openslo-v1-subset.schema.json").read_text())
    validator = jsonschema_rs.validator_for(schema)
    documents = [document for document in yaml.safe_load_all(FILE.read_text()) if document is not None]
    assert [error.message for document in documents for error in validator.iter_errors(document)] == []
    assert not validator.is_valid({**documents[-2], "spec": {}})


def test_a_file_says_what_an_objective_is() -> None:
    [made] = specification(slo("orders-fast", about="latency", ratio=LATENCY, target=0.95, tier="2")).slos
    assert (made.id, made.tier, made.owner, made.type) == ("orders-fast", 2, "shop", "latency")
    assert (made.objective, made.threshold, made.period) == (0.95, 0.2, Rolling(30 * 86_400))
    assert made.routes is not None
    assert made.routes.match("GET", "/orders/{id}")


def test_an_objective_may_be_about_events() -> None:
    [made] = specification(slo(about="delivery", ratio=EVENTS)).slos
    assert (made.events, made.routes) == (("orders",), None)


def test_a_budget_may_be_a_calendar_months() -> None:
    calendar = {"startTime": "2026-01-01 00:00:00", "timeZone": "Europe/Berlin"}
    [made] = specification(slo(window={"duration": "1M", "isRolling": False, "calendar": calendar})).slos
    assert isinstance(made.period, Calendar)
    assert made.period.unit == "month"


@pytest.mark.parametrize(
    ("target", "told"), [(1.0, "leaves no budget"), (99.9, "leaves no budget"), (0.0, "promises nothing"), (-1.0, "p")]
)
def test_an_objective_that_cannot_be_missed_or_kept_is_refused(target: float, told: str) -> None:
    [problem] = _problems(slo(target=target))
    assert problem.startswith("slo.yaml:41: spec.objectives[0].target: ")
    assert told in problem


def test_a_threshold_between_buckets_is_refused_with_the_nearest() -> None:
    [problem] = _problems(slo(about="latency", ratio=within("220ms")))
    assert "220ms is no bound of http.server.request.duration" in problem
    assert "the nearest is 0.2s" in problem


def test_every_threshold_is_a_bound_of_the_view_that_shows_it() -> None:
    [view] = [view for view in views(explicit_buckets=True) if view._instrument_name == "http.server.request.duration"]
    bounds = set(view._aggregation._boundaries)  # type: ignore[attr-defined]
    thresholds = {slo.threshold for slo in load(FILE).slos if slo.threshold is not None}
    assert thresholds <= bounds
    # And whatever is no bound of it is refused: no file can promise what nobody could see.
    for limit in sorted(bounds):
        assert specification(slo(about="latency", ratio=within(f"{limit * 1000:g}ms"))).slos[0].threshold == limit
        assert "the nearest is" in _problems(slo(about="latency", ratio=within(f"{limit * 1000 + 1:g}ms")))[0]


def test_an_unknown_metric_is_refused() -> None:
    [problem] = _problems(slo(about="latency", ratio=within("200ms", "http.duration")))
    assert "'http.duration' is not in the catalogue of metrics" in problem


def test_a_metric_that_is_no_duration_is_refused() -> None:
    [problem] = _problems(slo(about="latency", ratio=within("200ms", "http.server.active_requests")))
    assert "is no distribution of durations" in problem


def test_an_id_is_given_once() -> None:
    [problem] = _problems(slo(), slo())
    assert problem.startswith("slo.yaml:46: metadata.name: 'orders-availability' is taken already, in line 11")


def test_a_service_must_be_described() -> None:
    [problem] = _problems(slo(of="till"))
    assert problem.endswith("spec.service: 'till' is not described by a document of kind Service")


@pytest.mark.parametrize("routes", [("/orders/*", "/orders/{id}"), ("/orders", "GET /orders"), ("*", "/orders")])
def test_patterns_of_one_list_that_overlap_are_refused(routes: tuple[str, ...]) -> None:
    [problem] = _problems(slo(ratio=requests(*routes)))
    assert "of the same list: leave one out" in problem


def test_a_route_belongs_to_one_service() -> None:
    others = slo("tills-availability", of="till", ratio=requests("GET /orders/{id}"))
    [problem] = _problems(service("till"), slo(), others)
    assert "GET /orders/{id} overlaps /orders/* of orders-availability" in problem


def test_a_route_belongs_to_the_whole_service_besides() -> None:
    whole = slo("all-availability", of="till", ratio=requests("*"))
    assert len(specification(service("till"), slo(), whole).slos) == 2


def test_an_exception_keeps_services_apart() -> None:
    mine = slo(ratio=requests("/orders/*", excepting=("/orders/{id}/pay",)))
    theirs = slo("pay-availability", of="till", ratio=requests("/orders/{id}/pay"))
    assert len(specification(service("till"), mine, theirs).slos) == 2


def test_a_pattern_that_is_none_is_refused() -> None:
    [problem] = _problems(slo(ratio=requests("orders")))
    assert "'orders' is no route" in problem


def test_a_type_must_fit_what_is_counted() -> None:
    [problem] = _problems(slo(about="latency"))
    assert problem.endswith("'latency' does not fit what is counted, which is 'availability'")


def test_good_events_must_be_some_of_all() -> None:
    mixed = {**EVENTS, "good": {"metricSource": {"type": "MitaEvents", "spec": {"events": ["tills"]}}}}
    [problem] = _problems(slo(about="delivery", ratio=mixed))
    assert "does not name the good ones of the same events" in problem


def test_events_are_no_part_of_requests() -> None:
    [problem] = _problems(slo(ratio={**REQUESTS, "good": EVENTS["good"]}))
    assert "names events, of which requests are not the total" in problem


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ({"duration": "90d", "isRolling": True}, "'90d' is not between 1d and 31d"),
        ({"duration": "12h", "isRolling": True}, "'12h' is not between 1d and 31d"),
        ({"duration": "a month", "isRolling": True}, "'a month' is no duration"),
        ({"duration": "30d", "isRolling": False}, "'30d' is no calendar's"),
        ({"duration": "1M", "isRolling": False}, "needs a calendar"),
        (
            {
                "duration": "1M",
                "isRolling": False,
                "calendar": {"startTime": "2026-01-01", "timeZone": "Europe/Atlantis"},
            },
            "'Europe/Atlantis' is no time zone",
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value,
)
def test_a_window_that_cannot_be_kept_is_refused(window: dict[str, Any], told: str) -> None:
    [problem] = _problems(slo(window=window))
    assert told in problem


def test_what_is_not_read_is_refused_where_it_is() -> None:
    document = slo()
    document["spec"]["alertPolicies"] = []
    [problem] = _problems(document)
    assert problem.startswith("slo.yaml:42: spec.alertPolicies: ")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    problems = _problems(slo(target=2), slo("orders-fast", about="latency", ratio=within("1.5s")))
    assert [problem.split(": ")[1] for problem in problems] == [
        "spec.objectives[0].target",
        "spec.indicator.spec.ratioMetric.good.metricSource.spec.within",
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("a: [", "slo.yaml:2: is no YAML"),
        ("a: 1\na: 2", "slo.yaml:2: is no YAML: repeats 'a'"),
        ("a: &x [1]\nb: *x", "slo.yaml:1: is no YAML: aliases are not read"),
        ("a: !!python/object:os.system {}", "is no YAML"),
        ("a: " + "[" * 3000, "is no YAML"),
        ("a" * 1_000_001, "slo.yaml:1: has more than 1000000 characters"),
        ("- 1", "slo.yaml:1: "),
        ("kind: Nothing", "slo.yaml:1: "),
    ],
    ids=["cut off", "a key twice", "an alias", "a tag", "deep", "large", "a list", "an unknown kind"],
)
def test_what_is_no_file_of_objectives_is_refused(written: str, told: str) -> None:
    with pytest.raises(SpecificationError, match="slo") as caught:
        parse(written)
    assert told in caught.value.problems[0]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecificationError, match="cannot be read"):
        load(tmp_path / "none.yaml")


def test_an_indicator_has_no_budget() -> None:
    [throughput] = load(FILE).indicators
    assert (throughput.over, throughput.reference) == (timedelta(minutes=5).total_seconds(), 1000)
