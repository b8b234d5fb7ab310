import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from benchmarks.overhead.figures import Cost, Delivery, Figure, Summary
from benchmarks.overhead.look import Content, Look, Metric, Shape
from benchmarks.overhead.report import Conditions, draw, render, verdict
from benchmarks.overhead.rounds import Effort

_SVG = "{http://www.w3.org/2000/svg}"


def _same(value: float) -> Figure:
    return Figure(value, value, value)


def _cost(ratio: float | None, *missing: str) -> Cost:
    delivered = Delivery(0.5 if "spans" in missing else 1.0, 1.0, None, 1.0, missing)
    return Cost(
        cpu_us=_same(300),
        added_us=None if ratio is None else _same(100),
        ratio=None if ratio is None else Figure(ratio, ratio - 0.02, ratio + 0.03),
        rate=_same(1234),
        p99_ms=_same(5.5),
        delivery=None if ratio is None else delivered,
    )


def _summary(cost: Cost) -> Summary:
    return Summary({"ping": cost}, start_s=_same(0.8), resident_mb=_same(100))


@pytest.fixture
def summaries() -> dict[str, Summary]:
    return {
        "bare": _summary(_cost(None)),
        "vanilla": _summary(_cost(1.0, "spans")),
        "ours": _summary(_cost(0.3)),
    }


@pytest.fixture
def conditions() -> Conditions:
    return Conditions(
        "a processor", "3.11.7", {"fastapi": "1"}, Effort(requests=("ping",)), _same(30), _same(1), (0.1, 0.9)
    )


@pytest.fixture
def looks() -> dict[str, Look]:
    shape = Shape("server", "server", "GET /a|b", "", 1.0, ("http.route",))
    return {"ours": Look({"ping": Content((shape,), 2.0, 1.0, ())}, (Metric("http.server.request.duration", 1, ()),))}


def _row(report: str, name: str) -> list[str]:
    """Return the cells of the first row of a variant, which is that of its cost."""
    return next(
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in report.splitlines()
        if line.startswith(f"| {name} |")
    )


def test_the_verdict_is_one_object_with_our_ratio_for_each_kind_of_request(summaries: dict[str, Summary]) -> None:
    line = verdict(summaries)
    assert "\n" not in line
    assert json.loads(line) == {"ping": {"ratio": 0.3, "spread": [0.28, 0.33], "missing": []}}


def test_a_start_by_a_launcher_of_its_own_is_a_row_of_its_own(
    summaries: dict[str, Summary], conditions: Conditions, looks: dict[str, Look]
) -> None:
    summaries["ours"] = replace(summaries["ours"], own_start_s=_same(0.7))
    report = render(summaries, looks, conditions)
    assert _row(report, "ours, by `mita-instrument`")[1] == "0.70"


def test_without_vanilla_there_is_no_ratio(summaries: dict[str, Summary]) -> None:
    summaries["ours"] = _summary(_cost(None))
    assert json.loads(verdict(summaries)) == {"ping": {"ratio": None}}


def test_what_we_did_not_deliver_stands_in_the_verdict(summaries: dict[str, Summary]) -> None:
    summaries["ours"] = _summary(_cost(0.3, "spans", "logs"))
    assert json.loads(verdict(summaries))["ping"]["missing"] == ["spans", "logs"]


def test_what_arrived_stands_beside_what_it_cost(
    summaries: dict[str, Summary], looks: dict[str, Look], conditions: Conditions
) -> None:
    row = _row(render(summaries, looks, conditions), "vanilla")
    assert row[1:] == ["300", "+100", "1.00 (0.98 to 1.03)", "1,234", "5.5", "50.0 %", "100.0 %", "", "100.0 %"]


def test_bare_owes_nothing(summaries: dict[str, Summary], looks: dict[str, Look], conditions: Conditions) -> None:
    assert _row(render(summaries, looks, conditions), "bare")[1:] == ["300", "", "", "1,234", "5.5", *[""] * 4]


def test_a_pipe_in_a_name_does_not_break_a_table(
    summaries: dict[str, Summary], looks: dict[str, Look], conditions: Conditions
) -> None:
    assert "`GET /a\\|b` (1)" in render(summaries, looks, conditions)


def test_the_report_shows_the_chart_it_is_given(
    summaries: dict[str, Summary], looks: dict[str, Look], conditions: Conditions
) -> None:
    assert "](overhead.svg)" in render(summaries, looks, conditions, chart="overhead.svg")
    assert "![" not in render(summaries, looks, conditions)


def test_the_report_says_how_many_rounds_and_connections_its_figures_are_of(
    summaries: dict[str, Summary], looks: dict[str, Look], conditions: Conditions
) -> None:
    effort = replace(conditions.effort, rounds=7, connections=11)
    report = render(summaries, looks, replace(conditions, effort=effort))
    assert "11 connections ask" in report
    assert "Medians of 7 interleaved rounds" in report


def _bars(chart: str) -> list[ET.Element]:
    return [box for box in ET.fromstring(chart).findall(f"{_SVG}rect") if box.get("rx")]


def test_the_chart_has_a_bar_for_each_ratio_in_proportion(summaries: dict[str, Summary]) -> None:
    widths = [float(bar.get("width", "")) for bar in _bars(draw(summaries)) if bar.get("fill") != "url(#hatch)"]
    assert len(widths) == 2
    assert widths[1] / widths[0] == pytest.approx(0.3, abs=0.01)


def test_a_bar_is_hatched_where_something_was_not_delivered(summaries: dict[str, Summary]) -> None:
    chart = draw(summaries)
    assert sum(bar.get("fill") == "url(#hatch)" for bar in _bars(chart)) == 1
    assert "1.00, not all spans" in chart


def test_a_chart_without_ratios_is_a_document_all_the_same(summaries: dict[str, Summary]) -> None:
    assert _bars(draw({"bare": summaries["bare"]})) == []
    assert _bars(draw({})) == []
