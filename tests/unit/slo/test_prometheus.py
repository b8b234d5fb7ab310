import re
import socket
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Registry
from mita_otel.slo import prometheus
from mita_otel.slo.budget import Count
from mita_otel.slo.prometheus import LyingError, PrometheusSource
from mita_otel.slo.running import Objectives
from mita_otel.slo.windows import HOUR
from tests.unit.slo.openslo import requests, slo, specification

SPECIFICATION = specification(slo("available", ratio=requests("*")))


class Clock:
    def __init__(self) -> None:
        self.now = 1_790_000_400.0

    def __call__(self) -> float:
        return self.now


class Known:
    """A Prometheus that knows an even stream of events: so many good and bad ones in five minutes."""

    def __init__(self, good: float = 99, bad: float = 1) -> None:
        self.good, self.bad = good, bad
        self.asked: list[str] = []
        self.covered = 1.0
        self.replicas = {"there": 3, "usual": 3}
        self.answer: Any = None

    def __call__(self, url: str) -> Any:
        asked = parse_qs(urlsplit(url).query)
        [query] = asked["query"]
        if "query_range" in url:
            return self.since(*(int(asked[name][0]) for name in ("start", "end", "step")))
        self.asked.append(query)
        if self.answer is not None:
            return self.answer
        if "[1h:1m]" in query:
            return self.told(self.replicas, "whole")
        slices = int(re.search(r"\[(\d+)s\]", query)[1]) // 300  # type: ignore[index]
        return self.told({"good": self.good * slices, "bad": self.bad * slices, "slices": slices * self.covered})

    def since(self, begin: int, end: int, step: int) -> Any:
        """Return what it knows of slices that end between two moments."""
        each = {"good": self.good * step / 300, "bad": self.bad * step / 300}
        found = [
            {
                "metric": {"slo": "available", "outcome": outcome},
                "values": [[at, str(count)] for at in range(begin, end + 1, step)],
            }
            for outcome, count in each.items()
        ]
        return {"status": "success", "data": {"resultType": "matrix", "result": found}}

    @staticmethod
    def told(values: dict[str, Any], slo: str = "available") -> dict[str, Any]:
        found = [{"metric": {"slo": slo, "outcome": key}, "value": [0, str(value)]} for key, value in values.items()]
        return {"status": "success", "data": {"resultType": "vector", "result": found}}


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def source(known: Known) -> PrometheusSource:
    breaker = CircuitBreaker("slo_prometheus", prometheus.POLICY, registry=Registry())
    return PrometheusSource("http://prometheus:9090/", "shop", SPECIFICATION.slos, get=known, breaker=breaker)


def test_each_window_is_one_query(source: PrometheusSource, known: Known) -> None:
    seen = source.read().seen["available"]
    assert len(known.asked) == 8 + 1  # and how many replicas there are
    assert seen.windows[300].count == Count(99, 1)
    assert seen.windows[HOUR].count == Count(99 * 12, 12)
    assert seen.period.count == Count(99 * 8640, 8640)
    assert seen.period.coverage == 1
    assert all('service_name="shop"' in query for query in known.asked)


def test_long_windows_are_asked_of_sums(source: PrometheusSource, known: Known) -> None:
    source.read()
    raw = ["increase(mita_slo_events_total" in query for query in known.asked[:8]]
    assert raw == [True, True, True, False, False, False, False, False]


def test_a_name_cannot_leave_its_quotes(known: Known) -> None:
    breaker = CircuitBreaker("slo_prometheus", prometheus.POLICY, registry=Registry())
    PrometheusSource("http://p", 'shop"} or up{a="', SPECIFICATION.slos, get=known, breaker=breaker).read()
    assert r'service_name="shop\"} or up{a=\""' in known.asked[0]


def test_what_was_not_scraped_is_not_covered(source: PrometheusSource, known: Known) -> None:
    known.covered = 0.95
    assert source.read().seen["available"].windows[HOUR].coverage == pytest.approx(0.95)


def test_it_is_passed_over_until_it_has_seen_an_hour(source: PrometheusSource, known: Known) -> None:
    known.covered = 0.5
    with pytest.raises(LyingError, match="has not seen the last hour"):
        source.read()


@pytest.mark.parametrize(
    "answer",
    [
        {"status": "error", "error": "too many samples"},
        {"status": "success", "data": {}},
        {"status": "success", "data": {"result": [{"metric": {}, "value": [0, "1"]}]}},
        Known.told({"good": "NaN"}),
        Known.told({"good": "+Inf"}),
        Known.told({"bad": "-1"}),
        [],
    ],
    ids=["an error", "no result", "no labels", "not a number", "infinite", "negative", "a list"],
)
def test_what_cannot_be_is_not_believed(source: PrometheusSource, known: Known, answer: Any) -> None:
    known.answer = answer
    with pytest.raises(LyingError):
        source.read()


def test_a_shorter_window_cannot_hold_more(source: PrometheusSource, known: Known) -> None:
    def lie(url: str) -> Any:
        return (
            Known.told({"good": 5000, "bad": 0, "slices": 12}) if "[3600s]" in url or "%5B3600s" in url else known(url)
        )

    source._get = lie
    with pytest.raises(LyingError, match="in a shorter time"):
        source.read()


def test_an_unknown_objective_of_an_answer_is_left_out(source: PrometheusSource, known: Known) -> None:
    known.answer = Known.told({"good": 1, "slices": 10_000}, slo="another")
    with pytest.raises(LyingError):
        source.read()


def test_a_breaker_leaves_it_alone_after_three_failures(source: PrometheusSource) -> None:
    def fail(_: str) -> Any:
        raise TimeoutError

    source._get = fail
    for _ in range(3):
        with pytest.raises(TimeoutError):
            source.read()
    with pytest.raises(CircuitOpenError):
        source.read()


def test_looking_does_not_wait_and_tells_of_the_last_round(source: PrometheusSource) -> None:
    source.look(time.time())
    source.wait(10)
    sight = source.look(time.time())
    assert sight is not None
    assert (sight.source, sight.scope) == ("prometheus", "service")


@pytest.mark.parametrize(
    ("replicas", "told"), [({"there": 3, "usual": 3}, (3, 0)), ({"there": 2, "usual": 3}, (2, 1)), ({}, (None, 0))]
)
def test_fewer_replicas_than_most_of_the_last_hour_are_missed(
    source: PrometheusSource, known: Known, replicas: dict[str, int], told: tuple[int | None, int]
) -> None:
    known.replicas = replicas
    sight = source.read()
    assert (sight.replicas, sight.missing) == told


def test_it_is_complete_until_the_last_sums_were_made(source: PrometheusSource, known: Known) -> None:
    known.replicas = {"until": 1_790_000_123}
    assert source.read().watermark == 1_790_000_123


def test_a_process_has_its_share_of_what_prometheus_told_before_it_fell_silent(
    source: PrometheusSource, known: Known
) -> None:
    clock = Clock()
    source._clock = clock
    objectives = Objectives(SPECIFICATION, [source], clock)
    source.look(clock.now)
    source.wait(10)
    source.look(clock.now)
    source.wait(10)
    source._round.seen_at = float("-inf")
    clock.now += 3_600
    objectives.tick()
    objectives.events.request("GET", "/orders", 500, 0.1)
    told = objectives.report()
    [judged] = told["slos"]
    assert (told["source"], told["filled"]["source"]) == ("process", "prometheus")
    # Thirty days, to the hour, by three replicas: a hundred events in five minutes, one of them bad.
    month = 30 * 24 * 12
    assert judged["bad"] == pytest.approx(1 + month / 3, rel=0.002)
    assert judged["good"] == pytest.approx(99 * month / 3, rel=0.002)
    assert judged["burn_rate"]["5m"] == pytest.approx(1000)
    assert judged["error_budget"]["remaining_ratio"] == pytest.approx(-9, rel=0.001)


def test_a_process_answers_at_once_while_prometheus_is_away() -> None:
    with socket.socket() as listener:  # listens, and never answers
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        breaker = CircuitBreaker("slo_prometheus", prometheus.POLICY, registry=Registry())
        away = PrometheusSource(url, "shop", SPECIFICATION.slos, breaker=breaker)
        objectives = Objectives(SPECIFICATION, [away])
        objectives.events.request("GET", "/orders", 200, 0.1)
        began = time.perf_counter()
        told = objectives.report()
        took = time.perf_counter() - began
        away.wait(10)
    assert (told["source"], told["availability"]["total_requests"]) == ("process", 1)
    assert took < 1
