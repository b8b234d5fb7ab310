"""Files of sloth and pyrra: read, written, and what is lost on the way told with its line."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from mita_otel.cli.slo import app
from mita_otel.metrics.catalogue.bounds import DURATIONS
from mita_otel.slo.formats import Format, exported, imported
from mita_otel.slo.formats.promql import Matcher, Selector, counted, selector
from mita_otel.slo.specification import Slo, parse
from mita_otel.slo.windows import Rolling
from tests.fixtures.service import ROOT
from tests.unit.slo import openslo

FILE = ROOT / "collector" / "slo" / "mita.yaml"
FORMATS: tuple[Format, ...] = ("openslo", "sloth", "pyrra")

SLOTH = """version: prometheus/v1
service: shop
labels: { owner: till, tier: "1", repo: git }
slos:
  - name: answers
    objective: 99.9
    description: It answers.
    sli:
      events:
        error_query: sum(rate(http_requests_total{job="shop",code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_requests_total{job="shop"}[{{.window}}]))
    alerting: { name: Answers, page_alert: { disable: true } }
  - name: fast_orders
    objective: 99
    labels: { tier: "3" }
    sli:
      events:
        error_query: |
          (
            sum(rate(http_request_duration_seconds_count{route="/orders/{id}",method="GET"}[{{.window}}]))
            -
            sum(rate(http_request_duration_seconds_bucket{le="0.5",route="/orders/{id}",method="GET"}[{{.window}}]))
          )
        total_query: sum(rate(http_request_duration_seconds_count{route="/orders/{id}",method="GET"}[{{.window}}]))
  - name: between
    objective: 99
    sli:
      events:
        error_query: >-
          sum(rate(http_request_duration_seconds_count[{{.window}}]))
          - sum(rate(http_request_duration_seconds_bucket{le="0.4"}[{{.window}}]))
        total_query: sum(rate(http_request_duration_seconds_count[{{.window}}]))
  - name: wifi
    objective: 95
    sli: { raw: { error_ratio_query: 1 - satisfaction } }
"""

PYRRA = """apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: api-errors
  namespace: shop
  labels: { pyrra.dev/team: till, role: alert-rules }
spec:
  target: "99.95"
  window: 2w
  indicator:
    ratio:
      errors: { metric: 'http_requests_total{handler=~"/api/.*|/login",status=~"5.."}' }
      total: { metric: 'http_requests_total{handler=~"/api/.*|/login"}' }
      grouping: [handler]
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: { name: api-latency, namespace: shop }
spec:
  target: "95"
  window: 4w
  indicator:
    latency:
      success: { metric: 'http_request_duration_seconds_bucket{le="1.0"}' }
      total: { metric: http_request_duration_seconds_count }
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: { name: api-native, namespace: shop }
spec: { target: "90", window: 1w, indicator: { latencyNative: { latency: 200ms, total: { metric: http_requests } } } }
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: { name: long, namespace: shop }
spec: { target: "99", window: 12w, indicator: { bool_gauge: { metric: up } } }
"""


def _told(made: Slo) -> tuple[Any, ...]:
    routes = None if made.routes is None else [str(route) for route in made.routes.included]
    return made.id, made.owner, made.tier, made.type, made.objective, made.period, made.threshold, routes, made.events


def test_what_counts_requests_in_sloths_file_is_counted_here() -> None:
    month = Rolling(30 * 86_400)
    assert [_told(each) for each in parse(imported(SLOTH, "s.yml").text).slos] == [
        ("answers", "till", 1, "availability", 0.999, month, None, ["*"], ()),
        ("fast-orders", "till", 3, "latency", 0.99, month, 0.5, ["GET /orders/{id}"], ()),
        ("wifi", "till", 1, "correctness", 0.95, month, None, None, ("wifi",)),
    ]


def test_what_cannot_be_carried_over_from_sloth_is_said_line_by_line() -> None:
    period, label = "sloth's file has no period: 30d is taken", "the label repo is left out"
    assert imported(SLOTH, "s.yml").notes == (
        f"s.yml:5: slos[0]: {period}",
        f"s.yml:5: slos[0].labels.repo: {label}",
        "s.yml:11: slos[0].sli.events.total_query: 429 is no error here",
        (
            's.yml:11: slos[0].sli.events.total_query: job="shop" is left out: the service that reads the file counts'
            " its own requests"
        ),
        "s.yml:12: slos[0].alerting.page_alert: is left out: alerts are made of the objective",
        f"s.yml:13: slos[1]: {period}",
        f"s.yml:15: slos[1].labels.repo: {label}",
        "s.yml:24: slos[1].sli.events.total_query: only answers with a status below 400 are counted here",
        (
            "s.yml:25: slos[2]: between is not carried over: spec.indicator.spec.ratioMetric.good.metricSource.spec"
            ".within: 400ms is no bound of http.server.request.duration, so that nobody could see it there: the nearest"
            " is 0.5s, others go into the catalogue"
        ),
        f"s.yml:33: slos[3]: {period}",
        f"s.yml:33: slos[3].labels.repo: {label}",
        (
            "s.yml:35: slos[3].sli.raw: is no count of events: the service has to tell of it, by"
            " slo.event('wifi', good=...)"
        ),
    )


def test_what_counts_requests_in_pyrras_file_is_counted_here() -> None:
    made = imported(PYRRA, "p.yaml")
    day = 86_400
    assert [_told(each) for each in parse(made.text).slos] == [
        ("api-errors", "till", 2, "availability", 0.9995, Rolling(14 * day), None, ["/api/*", "/login"], ()),
        ("api-latency", "shop", 2, "latency", 0.95, Rolling(28 * day), 1.0, ["*"], ()),
        ("api-native", "shop", 2, "latency", 0.9, Rolling(7 * day), 0.2, ["*"], ()),
    ]
    assert [note.split(": ", 2)[0] + ": " + note.split(": ", 2)[1] for note in made.notes] == [
        "p.yaml:6: metadata.labels.role",
        "p.yaml:14: spec.indicator.ratio.grouping",
        "p.yaml:25: spec.indicator.latency.total.metric",
        "p.yaml:30: spec.indicator.latencyNative.total.metric",
        "p.yaml:35: spec",
    ]
    assert "'84d' is not between 1d and 31d" in made.notes[-1]


@pytest.mark.parametrize("to", FORMATS)
def test_every_objective_of_the_reference_service_comes_back_from_each_format(to: Format) -> None:
    source = FILE.read_text()
    made = exported(source, str(FILE), to)
    back = imported(made.text, "back.yaml")
    assert back.notes == ()
    assert parse(back.text).slos == parse(source).slos
    # An indicator and five stages have no place elsewhere.
    assert len(made.notes) == (0 if to == "openslo" else 6)


def test_an_exported_objective_counts_our_own_events() -> None:
    [made] = yaml.safe_load_all(exported(openslo.text(openslo.service(), openslo.slo()), "slo.yaml", "sloth").text)
    assert made["slos"][0]["sli"]["events"] == {
        "error_query": 'sum(rate(mita_slo_events_total{slo="orders-availability",outcome="bad"}[{{.window}}]))',
        "total_query": 'sum(rate(mita_slo_events_total{slo="orders-availability"}[{{.window}}]))',
    }
    assert made["slos"][0]["objective"] == 99.9


def test_what_was_changed_in_an_exported_file_since_is_so() -> None:
    text = exported(openslo.text(openslo.service(), openslo.slo()), "slo.yaml", "pyrra").text
    changed = text.replace("target: '99.9'", "target: '99.5'").replace("window: 30d", "window: 1w")
    [made] = parse(imported(changed, "p.yaml").text).slos
    assert (made.objective, made.period) == (0.995, Rolling(7 * 86_400))


def test_other_periods_and_calendars_are_told() -> None:
    calendar = {"startTime": "2026-01-01", "timeZone": "UTC"}
    file = openslo.text(
        openslo.service(),
        openslo.slo(window={"duration": "7d", "isRolling": True}),
        openslo.slo("orders-month", window={"duration": "1M", "isRolling": False, "calendar": calendar}),
    )
    assert [note.split(": ", 2)[2] for note in exported(file, "f.yaml", "sloth").notes] == [
        "sloth takes it from its command line: --default-slo-period 7d",
        "sloth has no calendars: a rolling window is written",
    ]


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=40)
NAMES = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
WINDOWS = st.one_of(
    st.integers(1, 31).map(lambda days: {"duration": f"{days}d", "isRolling": True}),
    st.sampled_from(["1w", "1M"]).map(
        lambda unit: {
            "duration": unit,
            "isRolling": False,
            "calendar": {"startTime": "2026-01-01", "timeZone": "Europe/Berlin"},
        }
    ),
)


@st.composite
def objectives(draw: st.DrawFn) -> str:
    """A file of ours, with any objectives that may stand together."""
    documents = [openslo.service("shop"), openslo.service("till")]
    for number, name in enumerate(draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))):
        routes = openslo.requests(f"/{number}/*", excepting=(f"/{number}/health",))
        kind = draw(st.sampled_from(["availability", "latency", "delivery"]))
        if kind == "latency":
            good = openslo.within(f"{draw(st.sampled_from(DURATIONS)) * 1000:g}ms")["good"]
            routes = {"good": good, "total": routes["total"]}
        document = openslo.slo(
            name,
            about=kind,
            of=draw(st.sampled_from(["shop", "till"])),
            target=draw(st.integers(1, 9_999_999)) / 10_000_000,
            ratio=openslo.EVENTS if kind == "delivery" else routes,
            window=draw(WINDOWS),
            tier=draw(st.sampled_from(["1", "2", "3"])),
        )
        document["spec"]["description"] = draw(WORDS)
        document["metadata"]["displayName"] = draw(WORDS)
        documents.append(document)
    return openslo.text(*documents)


@settings(max_examples=25)
@given(objectives(), st.sampled_from(FORMATS))
def test_whatever_is_exported_can_be_imported_again(file: str, to: Format) -> None:
    text = exported(file, "slo.yaml", to).text
    back = imported(text, "back.yaml")
    assert back.notes == ()
    assert sorted(parse(back.text).slos, key=lambda slo: slo.id) == sorted(parse(file).slos, key=lambda slo: slo.id)
    in_order = exported(file, "slo.yaml", "openslo").text
    assert exported(in_order, "slo.yaml", "openslo").text == in_order


LABELS = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(codec="utf-8"))
MATCHERS = st.builds(Matcher, LABELS, st.sampled_from(["=", "!=", "=~", "!~"]), VALUES)


@given(st.lists(MATCHERS, max_size=4))
def test_a_selector_is_read_as_it_is_written(matchers: list[Matcher]) -> None:
    made = Selector("http_requests_total", tuple(matchers))
    assert selector(str(made)) == made
    assert counted(f"( sum (rate({made}[{{{{ .window }}}}])) )") == (made, None)
    difference = f"sum(rate({made}[{{{{.window}}}}])) - sum(increase(x[{{{{.window}}}}]))"
    assert counted(difference) == (made, Selector("x"))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "objective", "sli", "events", "spec", "metadata", "indicator", "ratio", "window"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
HEADS: tuple[dict[str, Any], ...] = (
    {"version": "prometheus/v1", "service": "shop"},
    {"apiVersion": "pyrra.dev/v1alpha1", "kind": "ServiceLevelObjective", "metadata": {"name": "x"}},
    {},
)


@settings(max_examples=40)
@given(st.sampled_from(HEADS), st.sampled_from(["slos", "spec", "metadata"]), ANYTHING)
def test_whatever_a_file_holds_it_is_read_or_a_line_says_why_not(head: dict[str, Any], key: str, value: Any) -> None:
    made = imported(yaml.safe_dump({**head, key: value}), "x.yaml")
    assert made.text or made.notes or not value
    assert all(note.startswith("x.yaml:") for note in made.notes)


def test_the_commands_write_files_and_say_what_is_lost(tmp_path: Any) -> None:
    (tmp_path / "s.yml").write_text(SLOTH)
    (tmp_path / "none.yml").write_text("a: 1")
    run = CliRunner().invoke
    read = run(app, ["import", str(tmp_path / "s.yml")])
    assert (read.exit_code, len(parse(read.stdout).slos), len(read.stderr.splitlines())) == (0, 3, 12)
    assert run(app, ["import", str(tmp_path / "none.yml")]).exit_code == 1
    assert run(app, ["import", str(tmp_path / "missing.yml")]).exit_code == 2
    written = run(app, ["export", str(FILE), "--to", "pyrra"])
    assert (written.exit_code, len(list(yaml.safe_load_all(written.stdout)))) == (0, 31)
    assert run(app, ["export"], env={"MITA_SLO_FILE": str(FILE)}).exit_code == 0
    assert run(app, ["export"], env={"MITA_SLO_FILE": ""}).exit_code == 2
    assert run(app, ["export", str(tmp_path / "none.yml")]).exit_code == 2
