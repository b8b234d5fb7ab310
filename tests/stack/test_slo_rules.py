"""Burn rates and budgets, as the real Prometheus computes them from the rules."""

import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from benchmarks import slo_replay
from mita_otel.breakers import CircuitBreaker, Registry
from mita_otel.generate.slo_rules import rules
from mita_otel.slo import prometheus
from mita_otel.slo.prometheus import PrometheusSource
from mita_otel.slo.series import ALLOWED, FACTOR, PERIOD, REMAINING, increase
from mita_otel.stack import versions
from tests.fixtures.polling import find_free_port
from tests.fixtures.soak import SOAK
from tests.unit.slo import openslo

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

RULES = versions.root() / "collector" / "prometheus" / "rules" / "slo.yml"
SLO = 'service_name="shop", slo="service-availability"'
BUDGET = f'{SLO}, period="30d"'


def _counted(outcome: str, values: str, *, instance: str = "a", slo: str = "service-availability") -> dict[str, str]:
    labels = f'service_name="shop", instance="{instance}", slo="{slo}", outcome="{outcome}"'
    return {"series": f"mita_slo_events_total{{{labels}}}", "values": values}


def _sample(labels: str, value: float) -> dict[str, Any]:
    return {"labels": f"{{{labels}}}", "value": value}


def _run(
    binaries: dict[str, Path],
    folder: Path,
    series: list[dict[str, str]],
    *asked: dict[str, Any],
    every: str = "1m",
    file: Path = RULES,
) -> None:
    case = {"interval": "1m", "input_series": series, "promql_expr_test": list(asked)}
    path = folder / "test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(file)], "evaluation_interval": every, "tests": [case]}))
    done = subprocess.run([binaries["promtool"], "test", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _asked(expression: str, at: str, *samples: dict[str, Any]) -> dict[str, Any]:
    # Rounded: `increase` extrapolates, and so the digits behind the sixth tell of the samples' times.
    return {"expr": f"round({expression}, 0.000001)", "eval_time": at, "exp_samples": list(samples)}


def test_the_rules_are_accepted(binaries: dict[str, Path]) -> None:
    done = subprocess.run([binaries["promtool"], "check", "rules", RULES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("window", "at"), [("5m", "10m"), ("1h", "2h"), ("2h", "4h"), ("6h", "8h")])
def test_a_burn_rate_is_the_share_of_bad_events_by_what_is_allowed(
    binaries: dict[str, Path], tmp_path: Path, window: str, at: str
) -> None:
    series = [_counted("good", "0+98x500"), _counted("bad", "0+1x500"), _counted("bad", "0+1x500", instance="b")]
    expression = f'mita_slo:burn_rate:ratio{{slo="service-availability", window="{window}"}}'
    _run(binaries, tmp_path, series, _asked(expression, at, _sample(f'{SLO}, window="{window}"', 20)))


def test_a_budget_is_spent_by_events_and_not_by_time(binaries: dict[str, Path], tmp_path: Path) -> None:
    # A quiet hour in which everything fails (60 events), and nine busy ones in which nothing does (2,160,000).
    series = [
        _counted("bad", "0+1x60 60+0x600"),
        _counted("good", "0+0x60 0+4000x600"),
    ]
    left = 1 - 60 / (60 + 2_160_000) / 0.001
    _run(
        binaries,
        tmp_path,
        series,
        _asked(
            'abs(mita_error_budget_remaining{slo="service-availability"} - %f) < bool 0.002' % left,  # noqa: UP031
            "10h",
            _sample(BUDGET, 1),
        ),
        _asked(
            f"abs(mita_availability_slo - {100 - 0.1 * (1 - left)}) < bool 0.001",
            "10h",
            _sample('service_name="shop"', 1),
        ),
    )


def test_a_budget_may_be_overdrawn(binaries: dict[str, Path], tmp_path: Path) -> None:
    series = [_counted("good", "0+95x120"), _counted("bad", "0+5x120")]
    _run(binaries, tmp_path, series, _asked("mita_error_budget_remaining", "2h", _sample(BUDGET, -49)))


def test_a_restart_costs_no_budget(binaries: dict[str, Path], tmp_path: Path) -> None:
    series = [_counted("good", "0+100x30 0+100x90"), _counted("bad", "0+0x120")]
    _run(binaries, tmp_path, series, _asked("mita_error_budget_remaining", "2h", _sample(BUDGET, 1)))


def test_contributors_of_slices_add_up_whenever_they_come_and_go(binaries: dict[str, Path], tmp_path: Path) -> None:
    # One begins within a slice, one is there for two samples, one is not told of for a while and not counted again.
    labels = 'service_name="shop", slo="orders", dimension="route", instance="1"'
    values = {"/a": "_x4 0 30x20 38x60", "/b": "_x17 0 5 _x60", "/c": "0x3 7x10 _x12 7x60"}
    series = [
        {"series": f'mita_slo_spent_total{{{labels}, contributor="{name}"}}', "values": each}
        for name, each in values.items()
    ]
    counted = [_sample(f'contributor="{name}"', bad) for name, bad in (("/a", 38), ("/b", 5), ("/c", 7))]
    for expression in ("(sum_over_time(mita_slo:contributed:increase5m[1h]))", increase("mita_slo_spent_total", 3_600)):
        asked = _asked(f"sum by (contributor) {expression}", "1h", *counted)
        _run(binaries, tmp_path, series, asked, every="5m")


def test_without_events_nothing_is_said(binaries: dict[str, Path], tmp_path: Path) -> None:
    series = [_counted("good", "0+0x120"), _counted("bad", "0+0x120")]
    _run(
        binaries,
        tmp_path,
        series,
        *(
            _asked(each, "2h")
            for each in ("mita_error_budget_remaining", "mita_slo:burn_rate:ratio", "mita_slo:sli:ratio")
        ),
    )


def test_an_objective_of_calendar_weeks_alerts_too_by_weeks_that_roll(
    binaries: dict[str, Path], tmp_path: Path
) -> None:
    window = {
        "duration": "1w",
        "isRolling": False,
        "calendar": {"startTime": "2026-01-05", "timeZone": "Europe/Berlin"},
    }
    weekly = openslo.slo("weekly", ratio=openslo.requests("*"), window=window)
    file, labels = tmp_path / "weekly.yml", 'slo="weekly", tier="1", owner="shop"'
    file.write_text(rules(openslo.specification(weekly), "weekly"))
    _run(
        binaries,
        tmp_path,
        [_counted("good", "0+98x500", slo="weekly"), _counted("bad", "0+2x500", slo="weekly")],
        # 2 % of a week's budget in an hour.
        _asked(f'{FACTOR}{{window="1h"}}', "2h", _sample(f'{labels}, severity="page", window="1h"', 3.36)),
        _asked(PERIOD, "2h", _sample(labels, 604_800)),
        _asked(f"{ALLOWED} > bool 0", "2h", _sample('service_name="shop", slo="weekly", period="week"', 1)),
        _asked(REMAINING, "2h"),
        file=file,
    )


def test_an_objective_is_told_with_its_owner(binaries: dict[str, Path], tmp_path: Path) -> None:
    labels = 'slo="transactions-correctness", tier="1", owner="payments", type="correctness", period="30d"'
    _run(
        binaries,
        tmp_path,
        [],
        _asked('mita_slo:objective:ratio{slo="transactions-correctness"}', "10m", _sample(labels, 0.99999)),
    )


def test_a_gap_is_not_covered_and_costs_no_budget(binaries: dict[str, Path], tmp_path: Path) -> None:
    # An hour of which half was not delivered, and a counter that went on meanwhile. promtool sums each minute.
    series = [_counted("good", "0+100x30 _x29 6000+100x60"), _counted("bad", "0+0x30 _x29 0+0x60")]
    slices = f'count_over_time(mita_slo:events:increase5m{{{SLO}, outcome="good"}}[1h])'
    labels = f'{SLO}, outcome="good"'
    _run(
        binaries,
        tmp_path,
        series,
        _asked(f"{slices} <= bool 36", "60m", _sample(labels, 1)),
        _asked(f"{slices} >= bool 58", "119m", _sample(labels, 1)),
        _asked("mita_error_budget_remaining", "119m", _sample(BUDGET, 1)),
    )


def test_a_replica_that_falls_silent_is_missed(binaries: dict[str, Path], tmp_path: Path) -> None:
    asked: list[str] = []

    def note(url: str) -> Any:
        asked.extend(parse_qs(urlsplit(url).query)["query"])
        return {"status": "success", "data": {"result": []}}

    breaker = CircuitBreaker(prometheus.BREAKER, prometheus.POLICY, registry=Registry())
    PrometheusSource("http://prometheus", "shop", (), get=note, breaker=breaker)._told()
    series = [
        _counted("good", "0+100x180"),
        _counted("good", "0+100x120 stale", instance="b"),
        _counted("good", "0+100x120 stale", instance="c", slo="another"),
    ]
    told = [_sample(f'slo="whole", outcome="{name}"', value) for name, value in (("there", 1), ("usual", 3))]
    _run(binaries, tmp_path, series, {"expr": f"({asked[0]}) < 100", "eval_time": "130m", "exp_samples": told})


@pytest.mark.soak
@pytest.mark.timeout(1800 if SOAK else 180)
def test_days_of_three_replicas_with_restarts_and_an_outage_cost_the_budget_that_counting_says(
    binaries: dict[str, Path],
) -> None:
    left, burns = slo_replay.run(30 if SOAK else 1, binaries, find_free_port())
    exact = left["exact"]
    consumed = 1 - exact
    assert left["ours, a process"] == pytest.approx(exact, abs=1e-9)
    for who in ("ours, by the source", "ours, by the rules", "ours, what a process is left with"):
        assert 1 - left[who] == pytest.approx(consumed, rel=0.001)
    # pyrra counts events, too, all of them for each answer; the mean of ratios, as sloth takes it, makes a failure in a
    # quiet night as dear as thousands at noon.
    assert 1 - left["pyrra: increase over the period"] == pytest.approx(consumed, rel=0.001)
    assert abs(left["sloth: mean of 5 minutes' ratios"] - exact) > 0.1
    assert burns.keys() >= {"5m", "30m", "1h", "2h", "6h"}
    for counted, by_source, by_rules in burns.values():
        assert by_source == pytest.approx(counted, rel=0.001)
        assert by_rules == pytest.approx(counted, rel=0.001)
