"""Counts that replicas share: a real Redis, several processes' worth of sources, and all that may happen to both."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Registry
from mita_otel.slo.budget import Count
from mita_otel.slo.running import Objectives
from mita_otel.slo.shared import RedisSource
from mita_otel.slo.shared.source import ABSENT, BREAKER, MINUTES, POLICY
from mita_otel.slo.sources import Sight
from mita_otel.slo.windows import DAY, HOUR
from mita_otel.stack.databases import Server
from tests.fixtures.service import ROOT
from tests.unit.slo.openslo import EVENTS, requests, slo, specification

SPECIFICATION = specification(slo("available", ratio=requests("*")), slo("orders", about="delivery", ratio=EVENTS))


class Clock:
    def __init__(self) -> None:
        # Redis keeps its own time, by which hours go: a replay may begin now, and go on faster.
        self.began = self.now = time.time() // HOUR * HOUR + 600

    def __call__(self) -> float:
        return self.now


class Replica:
    """A process's objectives, and its way to the others."""

    def __init__(self, url: str, clock: Clock | None, service: str = "shop") -> None:
        breaker = CircuitBreaker(BREAKER, POLICY, registry=Registry())
        slos = SPECIFICATION.slos
        self.source = RedisSource(url, service, slos, instance=lambda: "pod-1", clock=clock, breaker=breaker)
        self.objectives = Objectives(SPECIFICATION, (), clock or time.time, shared=self.source)
        self.source.wait(30)

    def serve(self, good: int = 0, bad: int = 0) -> None:
        for status, times in ((200, good), (500, bad)):
            for _ in range(times):
                self.objectives.events.request("GET", "/orders", status, 0.1)

    def tell(self) -> Sight:
        """Tell and ask, as a round does."""
        before = self.source._round.seen_at
        self.source._round.ask()
        self.source.wait(30)
        sight = self.source._round.seen
        assert sight is not None
        assert self.source._round.seen_at > before
        return sight

    def lose_sight(self) -> None:
        """Let so much time pass that what was seen last says nothing any more."""
        self.source._round.seen_at = float("-inf")

    def sees(self, name: str = "available") -> Count:
        return self.tell().seen[name].period.count


Start = Callable[..., Replica]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(redis_url: str, clock: Clock) -> Iterator[Start]:
    made: list[Replica] = []

    def begin(url: str = redis_url, by: Clock | None = clock) -> Replica:
        made.append(Replica(url, by))
        return made[-1]

    yield begin
    for each in made:
        each.source._ended.set()
        each.source.wait(30)
        each.source._connection.close()


def test_each_replica_sees_what_all_have_counted(start: Start, clock: Clock) -> None:
    one, two = start(), start()
    one.serve(good=90, bad=1)
    two.serve(good=9)
    one.tell()
    assert two.sees() == one.sees() == Count(99, 1)
    sight = one.tell()
    assert (sight.source, sight.scope, sight.replicas, sight.missing) == ("redis", "service", 2, 0)
    assert sight.watermark == clock.began
    assert two.sees("orders") == Count()


def test_telling_twice_counts_once(start: Start) -> None:
    one = start()
    one.serve(good=5, bad=5)
    for _ in range(3):
        one.tell()
    one.source._minutes.tell_again()  # as when the answer was lost on its way
    assert one.sees() == Count(5, 5)


def test_counters_that_begin_anew_count_on(start: Start) -> None:
    one = start()
    one.serve(good=5)
    one.tell()
    one.objectives.counts.clear()
    one.serve(good=2)
    assert one.sees() == Count(7)


def test_counts_that_are_told_smaller_than_they_were_take_nothing_away(start: Start) -> None:
    one = start()
    one.serve(good=5)
    one.tell()
    minute, cells = one.source._minutes.untold(1)[0]
    one.source._minutes._kept[minute] = cells[:0] + type(cells)("q", [2, *cells[1:]])
    assert one.sees() == Count(5)


def test_windows_are_to_the_minute_for_a_day_and_to_the_hour_before(start: Start, clock: Clock) -> None:
    one = start()
    for hour in range(80):
        one.serve(good=10)
        one.tell()
        clock.now += HOUR
        del hour
    seen = one.tell().seen["available"]
    expected = {300: 0, HOUR: 10, 2 * HOUR: 20, 6 * HOUR: 60, DAY: 240, 3 * DAY: 720}
    assert {length: seen.windows[length].count.good for length in expected} == expected
    assert seen.period.count == Count(800)
    # A process that tells once an hour watches a minute of it.
    assert seen.windows[DAY].coverage == pytest.approx(24 / 1440)


def test_a_restarted_process_knows_the_month_and_keeps_it_when_redis_is_gone(redis_own: Server, clock: Clock) -> None:
    before = Replica(redis_own.url, clock)
    for _ in range(180):
        before.serve(good=9, bad=1)
        before.source._note()
        clock.now += 60
    before.tell()
    before.source.close(5)
    after = Replica(redis_own.url, clock)
    told = after.objectives.report()
    assert (told["source"], told["availability"]["failed_requests"]) == ("redis", 180)
    assert told["error_budget"]["availability"]["budget_remaining_pct"] == pytest.approx(-9900)
    redis_own.kill()
    after.lose_sight()
    clock.now += 60
    after.serve(bad=1)
    told = after.objectives.report()
    assert (told["source"], told["scope"], told["availability"]["failed_requests"]) == ("process", "process", 181)
    assert told["error_budget"]["availability"]["budget_remaining_pct"] == pytest.approx(-9900, abs=60)
    assert told["filled"]["source"] == "redis"
    after.source.wait(30)


def test_what_a_process_has_of_others_is_its_share_of_it(start: Start, clock: Clock) -> None:
    one, two = start(), start()
    one.serve(good=6)
    two.serve(good=30, bad=4)
    two.tell()
    one.tell()
    clock.now += 120
    one.objectives.tick()
    one.tell()
    one.lose_sight()
    one.serve(good=3)
    told = one.objectives.report()
    assert (told["source"], told["availability"]["total_requests"]) == ("process", 20 + 3)


def test_redis_that_forgets_is_told_again(start: Start, clock: Clock, redis_url: str) -> None:
    one = start()
    for _ in range(3):
        one.serve(good=10)
        one.tell()
        clock.now += HOUR
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        one.tell()
        clock.now += 60
        assert one.sees() == Count(30)
    assert start().sees() == Count(30)


def test_an_outage_of_hours_loses_nothing(start: Start, clock: Clock, redis_own: Server) -> None:
    one = start(redis_own.url)
    redis_own.pause()
    for _ in range(300):
        one.serve(good=1)
        one.objectives.tick()
        clock.now += 60
    redis_own.resume()
    one.source.wait(30)
    assert [one.sees() for _ in range(3)][-1] == Count(300)
    assert one.source.lost == 0


def test_what_is_older_than_a_day_is_counted_as_lost(start: Start, clock: Clock, redis_url: str) -> None:
    one = start("redis://127.0.0.1:1/0")
    one.serve(good=7)
    one.objectives.tick()
    clock.now += 2 * DAY
    one.objectives.tick()
    assert one.source.lost == 7


def test_a_silent_replica_is_missed_and_one_that_left_is_not(start: Start, clock: Clock) -> None:
    one, two, three = start(), start(), start()
    for each in (one, two, three):
        each.serve(good=10)
        each.tell()
    three.source.close(5)
    clock.now += ABSENT + 1
    one.tell()
    told = one.objectives.report()
    assert told["replicas"] == {"reporting": 1, "missing": 1}
    assert told["incomplete"] is True
    assert told["coverage"] <= 0.5
    two.tell()
    sight = one.tell()
    assert (sight.replicas, sight.missing) == (2, 0)
    clock.now += HOUR + 1
    assert one.tell().missing == 0


def test_a_replica_whose_clock_is_wrong_counts_in_the_right_minute(
    start: Start, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = start(by=None)
    with monkeypatch.context() as patch:
        patch.setattr("mita_otel.slo.shared.clock.time.time", lambda: 1_000_000.0)
        wrong = start(by=None)
        wrong.serve(good=3)
        wrong.tell()
    assert right.tell().seen["available"].windows[300].count == Count(3)


def test_what_others_wrote_in_the_place_of_counts_is_left_out(start: Start, redis_url: str, clock: Clock) -> None:
    one = start()
    one.serve(good=5)
    one.tell()
    hour = int(clock.began // HOUR)
    with redis.Redis.from_url(redis_url) as client:
        client.hset(f"mita:slo:{{shop}}:{hour}", mapping={"7": "9 nonsense:x:y", "@x": "y", "8": "1 AAAAAAAA:1:1"})
    assert one.sees() == Count(5)


def test_redis_that_does_not_answer_is_left_alone_and_that_is_said_once(
    redis_own: Server, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mita_otel.slo.shared.connection.TIMEOUT", 0.2)
    one = Replica(redis_own.url, clock)
    one.serve(good=1)
    redis_own.pause()
    one.lose_sight()
    assert one.objectives.report()["source"] == "process"
    for _ in range(POLICY.failure_threshold):
        with pytest.raises(redis.TimeoutError):
            one.source._breaker.call(one.source.read)
    with pytest.raises(CircuitOpenError):
        one.source._breaker.call(one.source.read)
    redis_own.resume()
    one.source.wait(30)
    one.source.read()
    assert [record.message.split(":")[1][:22] for record in caplog.records if record.name == "mita_otel.slo"] == [
        " Redis does not answer",
        " Redis answers again, ",
    ]


def test_a_month_of_thirty_one_objectives_is_small(redis_url: str, clock: Clock) -> None:
    many = specification(*(slo(f"objective-{number}", about="delivery", ratio=EVENTS) for number in range(31)))
    breaker = CircuitBreaker(BREAKER, POLICY, registry=Registry())
    source = RedisSource(redis_url, "shop", many.slos, clock=clock, breaker=breaker)
    objectives = Objectives(many, shared=source, clock=clock)
    source.wait(30)
    for _ in range(MINUTES + 4):
        for _ in range(60):
            for _ in range(20):
                objectives.events.event("orders", good=True)
            objectives.events.event("orders", good=False)
            clock.now += 60
            source._note()
        source.read()
    with redis.Redis.from_url(redis_url) as client:
        sizes = sorted(client.memory_usage(key, samples=0) or 0 for key in client.scan_iter())
        assert all(client.ttl(key) > 0 for key in client.scan_iter())
    trimmed, whole = sizes[0], sizes[-1]
    # 31 KB an hour by minutes, 0.7 KB one by its sum; 1.4 MB a month, for any number of replicas.
    assert 26 * whole + 742 * trimmed < 1_500_000
    source._connection.close()


_FORK = """
import os, sys, time
from mita_otel.slo.running import Objectives
from mita_otel.slo.shared import RedisSource
from tests.fixtures.service import ROOT
from tests.unit.slo.openslo import requests, slo, specification

made = specification(slo("available", ratio=requests("*")))
source = RedisSource(sys.argv[1], "shop", made.slos)
objectives = Objectives(made, shared=source)
def serve(times):
    for _ in range(times):
        objectives.events.request("GET", "/orders", 200, 0.1)
    source.wait(30)
    return source.read()
serve(5)
if (child := os.fork()) == 0:
    serve(7)
    os._exit(0)
os.waitpid(child, 0)
sight = serve(1)
print(int(sight.seen["available"].period.count.good), sight.replicas, len(objectives.closings))
objectives.closings[0][1](5)
"""


def test_processes_that_fork_count_each_for_itself(redis_url: str) -> None:
    variables: dict[str, Any] = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(
        [sys.executable, "-c", _FORK, redis_url], capture_output=True, text=True, check=True, env=variables
    )
    assert told.stdout.split() == ["13", "2", "1"]
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        [key] = client.scan_iter()
        left = [value.split()[2] for field, value in client.hgetall(key).items() if field.startswith("@")]
    assert sorted(left) == ["0", "1"]
