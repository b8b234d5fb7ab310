"""Errors of one origin, gathered."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from mita_otel.errors import Category, Kind, Severity
from mita_otel.errors.groups import GROUPS_AT_MOST, IDS_AT_MOST, Group, Groups, Occurrence
from mita_otel.errors.thresholds import SEVERITIES
from tests.unit.errors.test_thresholds import Naive


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def groups(clock: Clock) -> Groups:
    return Groups(clock)


ERROR = Occurrence(
    error_id="mita_000000000000",
    fingerprint="f" * 16,
    code="SYSTEM_9001",
    type="ValueError",
    kind=Kind(Category.SYSTEM, Severity.HIGH),
    at=1000.0,
    version="1.0",
    trace_id="a" * 32,
)


def only_group(groups: Groups) -> Group:
    found = groups.of_error(ERROR.error_id)
    assert found is not None
    assert len(groups) == 1
    return found[1]


def test_a_group_remembers_its_first_and_its_last_and_counts(groups: Groups) -> None:
    later = replace(ERROR, error_id="mita_000000000001", at=1060.0, version="1.1")
    groups.occurred(ERROR)
    groups.occurred(later)
    found = groups.of_error(later.error_id)
    assert found is not None
    occurrence, group = found
    assert (occurrence, group.first, group.last, group.count) == (later, ERROR, later, 2)
    assert group.first.version == "1.0"


def test_an_alert_tells_how_many_there_were_since_the_last(groups: Groups, clock: Clock) -> None:
    alerts = []
    for _ in range(5):
        alerts.append(groups.occurred(ERROR))
        clock.now += 400
    fired = [alert and (alert.severity, alert.since_last, alert.cools_for) for alert in alerts]
    assert fired == [None, None, (Severity.HIGH, 3, 900.0), None, None]


def test_a_group_points_to_its_three_newest_traces(groups: Groups) -> None:
    for number in range(5):
        groups.occurred(replace(ERROR, trace_id=f"{number:032x}"))
    group = only_group(groups)
    assert list(group.traces) == [f"{number:032x}" for number in (2, 3, 4)]


def test_the_last_hour_is_counted_by_minutes(groups: Groups) -> None:
    for minute in (0, 0, 1, 59):
        groups.occurred(replace(ERROR, at=minute * 60.0))
    group = only_group(groups)
    minutes = group.per_minute(59 * 60.0)
    assert (minutes[0], minutes[1], minutes[59], sum(minutes)) == (2, 1, 1, 4)
    assert sum(group.per_minute(60 * 60.0)) == 2


@pytest.mark.parametrize(
    ("before", "recent", "trend"),
    [(0, 0, "steady"), (10, 11, "steady"), (2, 5, "steady"), (10, 60, "rising"), (60, 10, "falling")],
)
def test_a_trend_is_more_than_chance(groups: Groups, before: int, recent: int, trend: str) -> None:
    for at, number in ((45 * 60.0, before), (55 * 60.0, recent)):
        for _ in range(number):
            groups.occurred(replace(ERROR, at=at))
    assert not len(groups) or only_group(groups).trend(59 * 60.0) == trend


def test_groups_and_ids_beyond_their_limits_are_forgotten_oldest_first(groups: Groups) -> None:
    for number in range(IDS_AT_MOST + 1):
        fingerprint = f"{number % (GROUPS_AT_MOST + 1):016x}"
        groups.occurred(replace(ERROR, error_id=f"mita_{number:012x}", fingerprint=fingerprint))
    assert len(groups) == GROUPS_AT_MOST
    assert groups.forgotten > 0
    assert groups.of_error(f"mita_{0:012x}") is None
    assert groups.of_error(f"mita_{IDS_AT_MOST:012x}") is not None


def test_a_hundred_thousand_errors_in_three_hundred_groups_alert_as_the_thresholds_say(
    groups: Groups, clock: Clock
) -> None:
    chance = random.Random(1)
    severities = {number: chance.choice(SEVERITIES) for number in range(300)}
    expected: Counter[int] = Counter()
    got: Counter[int] = Counter()
    naive = {number: Naive() for number in severities}
    clock.now = 0.0
    for number in range(100_000):
        clock.now += chance.expovariate(1.0)
        which = chance.randrange(300)
        kind = Kind(Category.SYSTEM, severities[which])
        alert = groups.occurred(
            replace(ERROR, error_id=f"mita_{number:012x}", fingerprint=f"{which:016x}", kind=kind, at=clock.now)
        )
        got[which] += alert is not None
        # A model that counts everything anew would take minutes: what is older than any window is taken from it.
        model = naive[which]
        model.seen = model.seen[-60:]
        expected[which] += model.occurred(kind.severity, clock.now) is not None
    assert got == expected
    assert sum(got.values()) > 1000
    assert len(groups) == 300
