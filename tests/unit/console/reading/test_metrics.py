"""One metric over time, and which instruments there are."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric as Sent

from mita_otel.console.reading.conditions import Condition
from mita_otel.console.reading.instruments import VALUES_LIMIT, instruments
from mita_otel.console.reading.metrics import GROUPS_LIMIT, Metric, MetricQuery, metric_of
from mita_otel.console.reading.trace import exemplars_of
from tests.fixtures.console_file import AT, SECOND, ConsoleFile, id_of, metrics, pairs

STARTED = AT - 7200 * SECOND
DELTA, CUMULATIVE = 1, 2


def times(second: float, start: int | None = None) -> dict[str, int]:
    begin = STARTED if start is None else AT + start * SECOND
    return {"time_unix_nano": int((AT + second * SECOND) * 1000), "start_time_unix_nano": begin * 1000}


def total(
    points: Sequence[tuple[float, float]],
    *,
    name: str = "calls",
    monotonic: bool = True,
    temporality: int = CUMULATIVE,
    start: int | None = None,
    unit: str = "{call}",
    **attributes: Any,
) -> Sent:
    metric = Sent(name=name, unit=unit)
    metric.sum.is_monotonic, metric.sum.aggregation_temporality = monotonic, temporality  # type: ignore[assignment]
    for second, value in points:
        metric.sum.data_points.add(**times(second, start), as_double=value, attributes=pairs(attributes))
    return metric


def gauge(points: Sequence[tuple[float, float]], **attributes: Any) -> Sent:
    metric = Sent(name="level", unit="1")
    for second, value in points:
        metric.gauge.data_points.add(**times(second), as_double=value, attributes=pairs(attributes))
    return metric


def histogram(
    points: Sequence[tuple[float, Sequence[int]]],
    bounds: Sequence[float] = (1, 2, 4),
    temporality: int = CUMULATIVE,
    start: int | None = None,
    **attributes: Any,
) -> Sent:
    metric = Sent(name="wait", unit="s")
    metric.histogram.aggregation_temporality = temporality  # type: ignore[assignment]
    for second, counts in points:
        metric.histogram.data_points.add(
            **times(second, start),
            explicit_bounds=bounds,
            bucket_counts=counts,
            count=sum(counts),
            attributes=pairs(attributes),
        )
    return metric


def asked(file: ConsoleFile, name: str, seconds: int = 30, step: int = 10, **more: Any) -> Metric:
    query = MetricQuery(name=name, start=AT, end=AT + seconds * SECOND, step=step * SECOND, **more)
    found = file.reader.run(lambda connection: metric_of(connection, query))
    assert found is not None
    return found


def lines(metric: Metric) -> dict[str, list[float | None]]:
    return {" ".join(line.labels.values()): line.values for line in metric.lines}


def test_a_metric_that_is_not_there_is_none(file: ConsoleFile) -> None:
    query = MetricQuery("nothing", AT, AT + 1, 1)
    assert file.reader.run(lambda connection: metric_of(connection, query)) is None


def test_a_counter_is_shown_as_a_rate(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(0, 100), (10, 120), (20, 120), (30, 150)])))
    metric = asked(file, "calls")
    assert lines(metric) == {"": [2, 0, 3]}
    assert list(metric.ends) == [AT + 10 * SECOND, AT + 20 * SECOND, AT + 30 * SECOND]
    assert (metric.about.unit, metric.about.kind, metric.about.monotonic) == ("{call}", "sum", True)


def test_rates_of_series_add_up(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(0, 0), (30, 60)], route="/x"), total([(0, 0), (30, 30)], route="/y")))
    file.send(metrics("b", total([(0, 0), (30, 300)], route="/x")))
    assert lines(asked(file, "calls")) == {"": [13, 13, 13]}


def test_groups_are_by_an_attribute_or_by_the_service_the_highest_first(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(0, 0), (30, 60)], route="/x"), total([(0, 0), (30, 30)])))
    file.send(metrics("b", total([(0, 0), (30, 300)], route="/x")))
    assert list(lines(asked(file, "calls", group_by="route")).items()) == [("/x", [12, 12, 12]), ("", [1, 1, 1])]
    assert lines(asked(file, "calls", group_by="service.name")) == {"b": [10, 10, 10], "a": [3, 3, 3]}


def test_a_service_and_attributes_choose_series(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(0, 0), (30, 60)], code=200), total([(0, 0), (30, 30)], code=500)))
    file.send(metrics("b", total([(0, 0), (30, 300)], code=500)))
    assert lines(asked(file, "calls", service="a")) == {"": [3, 3, 3]}
    assert lines(asked(file, "calls", conditions=(Condition("code", "500"),))) == {"": [11, 11, 11]}
    both = (Condition("code", "500"), Condition("service.name", "a"))
    assert lines(asked(file, "calls", conditions=both)) == {"": [1, 1, 1]}


def test_a_counter_that_is_sent_as_differences_is_a_rate_too(file: ConsoleFile) -> None:
    points = [total([(second + 10, 20)], temporality=DELTA, start=second) for second in (0, 10)]
    file.send(metrics("a", *points))
    assert lines(asked(file, "calls")) == {"": [2, 2, None]}


def test_many_points_in_a_step_count_as_much_as_few(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(second, 3.0 * second) for second in range(31)])))
    assert lines(asked(file, "calls"))[""] == pytest.approx([3, 3, 3])


def test_what_was_counted_up_to_the_end_of_a_step_belongs_to_it(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(0, 0), (5, 0), (10, 10), (15, 10), (20, 10)])))
    assert lines(asked(file, "calls", seconds=20)) == {"": [1, 0]}


def test_restarts_and_fallen_values_are_not_negative(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(0, 100), (10, 120)]), total([(20, 10)], start=10), total([(30, 40)], start=10)))
    assert lines(asked(file, "calls")) == {"": [2, 1, 3]}


def test_a_sum_that_may_fall_is_shown_as_it_is(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(5, 4), (15, 2), (25, 7)], monotonic=False, pool="p")))
    file.send(metrics("b", total([(5, 10), (15, 10), (25, 10)], monotonic=False, pool="p")))
    metric = asked(file, "calls")
    assert lines(metric) == {"": [14, 12, 17]}
    assert not metric.about.monotonic


def test_a_sum_that_may_fall_and_is_sent_as_differences_adds_them_up(file: ConsoleFile) -> None:
    points = [
        total([(second + 9, change)], temporality=DELTA, monotonic=False, start=second)
        for second, change in ((0, 5), (10, -2), (20, 4))
    ]
    file.send(metrics("a", *points))
    assert lines(asked(file, "calls")) == {"": [5, 3, 7]}


def test_gauges_are_averaged(file: ConsoleFile) -> None:
    file.send(
        metrics("a", gauge([(5, 0.25), (15, 0.5), (25, 0.5)], cpu=0), gauge([(5, 0.75), (15, 1), (25, 1)], cpu=1))
    )
    assert lines(asked(file, "level")) == {"": [0.5, 0.75, 0.75]}
    assert lines(asked(file, "level", group_by="cpu")) == {"1": [0.75, 1, 1], "0": [0.25, 0.5, 0.5]}


def test_a_histogram_is_shown_by_quantiles_and_a_rate(file: ConsoleFile) -> None:
    file.send(
        metrics("a", histogram([(0, (9, 9, 9, 9)), (10, (19, 9, 9, 9)), (20, (19, 9, 9, 9)), (30, (19, 9, 19, 9))]))
    )
    metric = asked(file, "wait", quantiles=(0.5, 0.9))
    assert lines(metric) == {
        "0.5": [0.5, None, 3],
        "0.9": [pytest.approx(0.9), None, pytest.approx(3.8)],
        "": [1, 0, 1],
    }
    assert [line.labels for line in metric.lines] == [{"quantile": "0.5"}, {"quantile": "0.9"}, {}]


def test_histograms_are_joined_before_quantiles_are_taken(file: ConsoleFile) -> None:
    for service, counts in (("a", (10, 0, 0, 0)), ("b", (0, 0, 10, 0))):
        file.send(metrics(service, histogram([(0, (0, 0, 0, 0)), (10, counts)])))
    assert lines(asked(file, "wait", quantiles=(0.5, 1.0)))["0.5"][0] == 1
    assert lines(asked(file, "wait", quantiles=(0.5, 1.0)))["1"][0] == 4


def test_histograms_with_other_bounds_are_joined_at_those_they_share(file: ConsoleFile) -> None:
    file.send(metrics("a", histogram([(0, (0, 0, 0, 0)), (10, (10, 0, 0, 0))])))
    file.send(metrics("b", histogram([(0, (0, 0, 0)), (10, (0, 0, 10))], bounds=(1, 3))))
    assert lines(asked(file, "wait", quantiles=(0.25,)))["0.25"][0] == 0.5


def test_a_histogram_that_is_sent_as_differences_is_the_same(file: ConsoleFile) -> None:
    file.send(metrics("a", histogram([(10, (10, 0, 0, 0))], temporality=DELTA, start=0)))
    assert lines(asked(file, "wait", quantiles=(0.5,))) == {"0.5": [0.5, None, None], "": [1, None, None]}


def test_a_histogram_whose_bounds_changed_begins_anew(file: ConsoleFile) -> None:
    file.send(metrics("a", histogram([(0, (5, 0, 0, 0))]), histogram([(10, (0, 6, 0))], bounds=(1, 3))))
    assert lines(asked(file, "wait", quantiles=(0.5,)))["0.5"][0] == 2


def test_a_histogram_without_buckets_has_a_rate(file: ConsoleFile) -> None:
    metric = Sent(name="wait", unit="s")
    metric.histogram.aggregation_temporality = CUMULATIVE  # type: ignore[assignment]
    for second in (0, 10):
        metric.histogram.data_points.add(**times(second), count=second)
    file.send(metrics("a", metric))
    assert lines(asked(file, "wait", quantiles=(0.5,))) == {"0.5": [None] * 3, "": [1, None, None]}


def test_what_came_in_longer_than_a_step_is_spread_over_the_steps(file: ConsoleFile) -> None:
    file.send(metrics("a", histogram([(0, (0, 0, 0, 0)), (20, (10, 0, 0, 0))])))
    assert lines(asked(file, "wait", quantiles=(0.5,))) == {"0.5": [0.5, 0.5, None], "": [0.5, 0.5, None]}


def exponential(second: float, scale: int, offset: int, counts: Sequence[int], zeros: int = 0) -> Sent:
    metric = Sent(name="size", unit="By")
    metric.exponential_histogram.aggregation_temporality = CUMULATIVE  # type: ignore[assignment]
    point = metric.exponential_histogram.data_points.add(
        **times(second), scale=scale, zero_count=zeros, count=sum(counts) + zeros
    )
    point.positive.offset = offset
    point.positive.bucket_counts.extend(counts)
    return metric


def test_a_histogram_that_is_absurdly_large_has_a_rate_only(file: ConsoleFile) -> None:
    bounds = [float(number) for number in range(9000)]
    file.send(metrics("a", histogram([(0, [0] * 9001), (10, [1] * 9001)], bounds=bounds)))
    metric = asked(file, "wait", quantiles=(0.5,))
    assert lines(metric) == {"0.5": [None] * 3, "": [900.1, None, None]}


def test_an_exponential_histogram_is_shown_by_quantiles_too(file: ConsoleFile) -> None:
    file.send(metrics("a", exponential(0, 0, 0, [5, 0]), exponential(10, 0, 0, [5, 10])))
    assert lines(asked(file, "size", quantiles=(0.5,))) == {
        "0.5": [pytest.approx(2**1.5), None, None],
        "": [1, None, None],
    }


def test_an_exponential_histogram_may_change_its_scale_while_it_grows(file: ConsoleFile) -> None:
    file.send(metrics("a", exponential(0, 1, 0, [5, 5]), exponential(10, 0, 0, [10, 10])))
    assert lines(asked(file, "size", quantiles=(0.5,)))["0.5"][0] == pytest.approx(2**1.5)


def test_exponential_histograms_of_other_scales_are_joined(file: ConsoleFile) -> None:
    file.send(metrics("a", exponential(0, 0, 0, [0]), exponential(10, 0, 0, [10])))
    file.send(metrics("b", exponential(0, 2, 0, [0] * 8), exponential(10, 2, 0, [0] * 7 + [10])))
    assert lines(asked(file, "size", quantiles=(0.75,)))["0.75"][0] == pytest.approx(2**1.5)


def test_a_summary_has_the_quantiles_of_its_sender(file: ConsoleFile) -> None:
    metric = Sent(name="old", unit="s")
    for second in (0, 10):
        point = metric.summary.data_points.add(**times(second), count=second * 2)
        point.quantile_values.add(quantile=0.99, value=1.5 + second)
    file.send(metrics("a", metric))
    assert lines(asked(file, "old", seconds=10)) == {"0.99": [11.5], "": [2]}


def test_where_services_disagree_most_series_count_or_what_is_chosen(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(0, 0), (30, 60)]), total([(0, 0), (30, 60)], k=1)))
    file.send(metrics("b", total([(0, 0), (30, 30)], unit="By")))
    assert asked(file, "calls").about.unit == "{call}"
    assert lines(asked(file, "calls", unit="By")) == {"": [1, 1, 1]}
    assert asked(file, "calls", kind="sum").about.unit == "{call}"


def test_groups_beyond_the_limit_are_counted(file: ConsoleFile) -> None:
    file.send(metrics("a", *(total([(0, 0), (30, 30 * n)], k=n) for n in range(GROUPS_LIMIT + 3))))
    metric = asked(file, "calls", group_by="k")
    assert metric.groups_left_out == 3
    assert len(metric.lines) == GROUPS_LIMIT
    assert "2" not in lines(metric)


def test_exemplars_come_with_their_traces_the_newest_first(file: ConsoleFile) -> None:
    metric = total([(10, 1)], route="/x")
    point = metric.sum.data_points[0]
    for second, trace in ((3, 7), (4, 8), (-5, 9)):
        point.exemplars.add(
            time_unix_nano=(AT + second * SECOND) * 1000, as_double=0.5, trace_id=id_of(trace, 16), span_id=id_of(2)
        )
    point.exemplars.add(time_unix_nano=AT * 1000, as_double=0.5)
    file.send(metrics("a", metric))
    found = asked(file, "calls").exemplars
    assert [(each.time - AT, each.trace, each.span, each.value, each.labels) for each in found] == [
        (4 * SECOND, id_of(8, 16), id_of(2), 0.5, {"route": "/x"}),
        (3 * SECOND, id_of(7, 16), id_of(2), 0.5, {"route": "/x"}),
    ]
    (measured,) = file.reader.run(lambda connection: exemplars_of(connection, id_of(8, 16)))
    assert (measured.instrument, measured.service, measured.attributes, measured.span) == (
        "calls",
        "a",
        '{"route":"/x"}',
        id_of(2),
    )


def listed(file: ConsoleFile) -> Mapping[tuple[str, str], Any]:
    return {(each.name, each.unit): each for each in file.reader.run(instruments)}


def test_instruments_are_listed_with_their_services_series_and_attributes(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(0, 1)], code=200, ok=True), total([(0, 1)], code=500), gauge([(0, 1)])))
    file.send(metrics("b", total([(0, 1)], code=200, ok=True), total([(0, 1)], unit="By")))
    found = listed(file)
    assert set(found) == {("calls", "{call}"), ("calls", "By"), ("level", "1")}
    calls = found["calls", "{call}"]
    assert (calls.kind, calls.monotonic, calls.services, calls.series) == ("sum", True, ["a", "b"], 3)
    assert {key: list(values) for key, values in calls.attributes.items()} == {"code": ["200", "500"], "ok": ["true"]}


def test_values_of_attributes_that_are_absurdly_long_are_not_listed(file: ConsoleFile) -> None:
    file.send(metrics("a", total([(0, 1)], k="x" * 2000)))
    assert listed(file)["calls", "{call}"].attributes == {"k": {}}


def test_not_more_than_some_values_of_an_attribute_are_listed(file: ConsoleFile) -> None:
    file.send(metrics("a", *(total([(0, 1)], k=number) for number in range(VALUES_LIMIT + 9))))
    (calls,) = listed(file).values()
    assert calls.series == VALUES_LIMIT + 9
    assert len(calls.attributes["k"]) == VALUES_LIMIT
