"""The benchmark measures what it says."""

from benchmarks import slo_events
from mita_otel.slo.counts import Counts, count_of
from mita_otel.slo.events import Events


def test_so_many_objectives_match_as_it_says() -> None:
    slos = slo_events.objectives(10)
    counts = Counts(len(slos))
    Events(slos, counts).request("GET", slo_events.ROUTE, 200, 0.35)
    totals = [count_of(counts.seen(), index).total for index in range(len(slos))]
    assert totals == [1] * 10 + [0] * 3
