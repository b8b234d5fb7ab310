"""Days of three replicas, told to each other through a real Redis, and held against what counting one by one says."""

import itertools
import time
from array import array

import pytest

from benchmarks import slo_replay
from mita_otel.breakers import CircuitBreaker, Registry
from mita_otel.slo.budget import Count, burn_rate
from mita_otel.slo.shared import RedisSource
from mita_otel.slo.shared.source import BREAKER, POLICY
from mita_otel.slo.windows import DAY, HOUR, WINDOWS
from tests.fixtures.soak import SOAK

DAYS = 30 if SOAK else 1
TOLD_EVERY = 600 // slo_replay.STEP
"""Steps between two rounds: every ten minutes, so that a test of a day takes a second."""


class Replica:
    """A process: its counters, and its way to the others."""

    def __init__(self, url: str, now: list[float]) -> None:
        breaker = CircuitBreaker(BREAKER, POLICY, registry=Registry())
        slos = slo_replay.specification(DAYS).slos
        self.cells = array("q", [0, 0])
        self.source = RedisSource(url, slo_replay.SERVICE, slos, clock=lambda: now[0], breaker=breaker)
        self.source.serve(lambda: self.cells[:])

    def end(self) -> None:
        self.source.close(30)
        self.source._connection.close()


@pytest.mark.soak
@pytest.mark.timeout(900 if SOAK else 180)
def test_replicas_with_restarts_and_outages_see_what_counting_says(redis_url: str) -> None:
    end = time.time() // HOUR * HOUR
    now = [end - DAYS * DAY]
    replicas = [Replica(redis_url, now) for _ in range(slo_replay.REPLICAS)]
    happened: list[tuple[float, Count]] = []
    for number, step in enumerate(slo_replay.traffic(DAYS)):
        now[0] += slo_replay.STEP
        came = Count()
        for place, each in enumerate(step):
            if each.restarted:
                replicas[place].end()
                replicas[place] = Replica(redis_url, now)
            replicas[place].cells[0] += each.good
            replicas[place].cells[1] += each.bad
            came += Count(each.good, each.bad)
            replicas[place].source._note()
            if number % TOLD_EVERY == 0:
                replicas[place].source.read()
        happened.append((now[0], came))
    for replica in replicas:
        replica.end()
    seen = Replica(redis_url, now).source.read().seen["available"]
    assert seen.period.count == sum((count for _, count in happened), Count())
    assert seen.period.coverage == pytest.approx(1, abs=0.001)
    for length in WINDOWS.values():
        if length > DAYS * DAY:
            continue
        # To the minute for a day, to the hour before; what came in the step that ends at a boundary is the next one's.
        unit = 60 if length <= DAY else HOUR
        begin = (end - length) // unit * unit
        exact = sum((count for at, count in happened if at >= begin), Count())
        assert seen.windows[length].count == exact
        burn = burn_rate(seen.windows[length].count, slo_replay.OBJECTIVE)
        assert burn == pytest.approx(burn_rate(exact, slo_replay.OBJECTIVE), rel=0.001)


def test_a_replay_has_all_that_is_to_be_survived() -> None:
    steps = list(slo_replay.traffic(1))
    totals = [sum(each.good + each.bad for each in step) for step in steps]
    outage = [step for step in steps if sum(each.good for each in step) == 0 < sum(each.bad for each in step)]
    assert any(each.restarted for step in steps for each in step)
    assert len(outage) >= 70
    assert max(len(list(run)) for quiet, run in itertools.groupby(totals, lambda total: total <= 3) if quiet) > 240
