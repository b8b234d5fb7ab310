from collections.abc import Mapping
from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.overhead.figures import Figure, delivery, figure, ratio, summarise
from benchmarks.overhead.look import Content, Look, Shape
from benchmarks.overhead.machine import Calibration
from benchmarks.overhead.rounds import Arrived, Measured, Run, Sample
from benchmarks.overhead.variants import VARIANTS

_COSTS = st.lists(st.floats(1, 1e6), min_size=1, max_size=9)


def _sample(requests: int, cpu: float, operations: Mapping[str, int], *, spans: int | None = None) -> Sample:
    arrived = Arrived(operations, sum(operations.values()) if spans is None else spans, 2 * requests)
    return Sample(requests, seconds=2.0, cpu=cpu, arrived=arrived, p50=0.002, p99=0.005)


def _run(variant: str, sample: Sample, kind: str = "ping", *, measured: int | None = None) -> Run:
    answered = sample.requests
    return Run(
        variant=variant,
        calibration=Calibration(30.0, 1.0),
        started=0.8,
        resident=100_000_000,
        samples={kind: sample},
        answered=answered,
        measured=answered if measured is None else measured,
        calls=0,
        measured_calls=0,
    )


def _look(spans: float, kind: str = "ping") -> Look:
    shapes = (Shape("server", "server", "GET /ping", "", spans, ("http.route",)),)
    return Look({kind: Content(shapes, 2.0, 1.0, ())}, ())


def test_a_figure_is_the_median_between_the_extremes() -> None:
    assert figure([5.0, 1.0, 9.0]) == Figure(5.0, 1.0, 9.0)


def test_starts_by_a_launcher_of_its_own_have_a_figure_where_there_are_any() -> None:
    plain = _run("bare", _sample(100, 1.0, {}))
    runs = [*[plain] * 3, *(replace(plain, variant="ours", own_start=start) for start in (0.5, 0.7, 0.6))]
    found = summarise(Measured({"bare": _look(0), "ours": _look(1)}, runs, (0.0, 0.0)))
    assert found["bare"].own_start_s is None
    assert found["ours"].own_start_s == Figure(0.6, 0.5, 0.7)


def test_half_of_what_vanilla_adds_is_a_ratio_of_a_half() -> None:
    found = ratio([150.0, 160.0, 155.0], [200.0, 220.0, 210.0], [100.0, 100.0, 100.0])
    assert found is not None
    assert found.median == pytest.approx(0.5)
    assert found.low == pytest.approx(0.5)
    assert found.high == pytest.approx(0.5)


def test_the_spread_of_a_ratio_is_that_within_rounds() -> None:
    found = ratio([120.0, 180.0], [200.0, 200.0], [100.0, 100.0])
    assert found is not None
    assert astuple(found) == pytest.approx((0.5, 0.2, 0.8))


@given(_COSTS)
def test_vanilla_itself_has_a_ratio_of_one(bare: list[float]) -> None:
    vanilla = [cost + 10 for cost in bare]
    found = ratio(vanilla, vanilla, bare)
    assert found is not None
    assert astuple(found) == pytest.approx((1, 1, 1))


@given(_COSTS)
def test_bare_has_a_ratio_of_nought(bare: list[float]) -> None:
    assert ratio(bare, [cost + 10 for cost in bare], bare) == Figure(0, 0, 0)


@pytest.mark.parametrize(("vanilla", "bare"), [(None, [1.0]), ([2.0], None), ([1.0], [1.0]), ([1.0], [2.0])])
def test_there_is_no_ratio_without_something_that_vanilla_adds(
    vanilla: list[float] | None, bare: list[float] | None
) -> None:
    assert ratio([3.0], vanilla, bare) is None


def test_everything_delivered_leaves_nothing_missing() -> None:
    run = _run("ours", _sample(1000, 1.0, {"server": 1000}))
    found = delivery(VARIANTS["ours"], "ping", [run], _look(1.0))
    assert (found.spans, found.operations, found.logs, found.measurements) == (1.0, 1.0, None, 1.0)
    assert found.missing == ()


def test_the_worst_round_counts() -> None:
    whole = _run("ours", _sample(1000, 1.0, {"server": 1000}))
    half = _run("ours", _sample(1000, 1.0, {"server": 500}))
    found = delivery(VARIANTS["ours"], "ping", [whole, half, whole], _look(1.0))
    assert found.spans == 0.5
    assert found.missing == ("spans",)


def test_spans_sent_twice_do_not_hide_lost_ones() -> None:
    # Two spans for each SELECT, half of them lost: each SELECT may still have one.
    sample = _sample(100, 1.0, {"server": 100, "sql": 300}, spans=400)
    look = Look({"db": Content((Shape("sql", "client", "SELECT", "", 7.0, ()),), 0.0, 0.0, ())}, ())
    found = delivery(VARIANTS["vanilla"], "db", [_run("vanilla", sample, "db")], look)
    assert found.operations == 1.0
    assert found.spans == pytest.approx(4 / 7)
    assert found.missing == ("spans",)


def test_more_of_one_operation_does_not_make_up_for_another() -> None:
    sample = _sample(100, 1.0, {"server": 300, "sql": 0})
    look = Look({"db": Content((Shape("server", "server", "GET", "", 3.0, ()),), 0.0, 0.0, ())}, ())
    assert delivery(VARIANTS["vanilla"], "db", [_run("vanilla", sample, "db")], look).operations == 0.25


def test_a_sampled_variant_owes_its_share_give_or_take_chance() -> None:
    run = _run("ours-10", _sample(10_000, 1.0, {"server": 960}))
    found = delivery(VARIANTS["ours-10"], "ping", [run], _look(1.0))
    assert found.spans == pytest.approx(0.96)
    assert found.missing == ()


def test_a_sampled_variant_that_drops_more_than_chance_is_told_from_one_that_is_unlucky() -> None:
    run = _run("ours-10", _sample(10_000, 1.0, {"server": 800}))
    assert delivery(VARIANTS["ours-10"], "ping", [run], _look(1.0)).missing == ("spans",)


def test_requests_that_no_histogram_counted_are_missing() -> None:
    run = _run("ours", _sample(1000, 1.0, {"server": 1000}), measured=0)
    found = delivery(VARIANTS["ours"], "ping", [run], _look(1.0))
    assert found.measurements == 0.0
    assert found.missing == ("measurements",)


def test_a_variant_that_was_not_seen_to_send_anything_has_delivered_nothing() -> None:
    run = _run("ours", _sample(1000, 1.0, {"server": 0}))
    assert delivery(VARIANTS["ours"], "ping", [run], Look({"ping": Content((), 0.0, 0.0, ())}, ())).spans == 0.0


def test_a_summary_has_costs_in_microseconds_a_request() -> None:
    runs = [
        _run("bare", _sample(1000, 0.1, {})),
        _run("vanilla", _sample(1000, 0.5, {"server": 1000})),
        _run("ours", _sample(1000, 0.2, {"server": 1000})),
    ]
    looks = {"bare": _look(0.0), "vanilla": _look(1.0), "ours": _look(1.0)}
    cost = summarise(Measured(looks, runs, (0.0, 0.0)))["ours"].costs["ping"]
    assert cost.cpu_us.median == pytest.approx(200)
    assert cost.added_us is not None
    assert cost.added_us.median == pytest.approx(100)
    assert cost.ratio is not None
    assert cost.ratio.median == pytest.approx(0.25)
    assert cost.rate.median == 500
    assert cost.p99_ms is not None
    assert cost.p99_ms.median == pytest.approx(5)
