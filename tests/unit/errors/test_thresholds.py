"""When errors of one origin are worth an alert."""

from hypothesis import given
from hypothesis import strategies as st

from mita_otel.errors import Severity
from mita_otel.errors.thresholds import SEVERITIES, THRESHOLDS, Watch, is_graver

CRITICAL, HIGH, MEDIUM, LOW = SEVERITIES
MINUTE = 60.0


def test_thresholds_and_cooldowns_are_the_reports() -> None:
    rows = {severity.value: (each.occurrences, each.seconds / MINUTE) for severity, each in THRESHOLDS.items()}
    assert rows == {"critical": (1, 5), "high": (3, 15), "medium": (10, 60), "low": (50, 240)}


def test_the_third_grave_error_is_an_alert() -> None:
    watch = Watch()
    assert [watch.occurred(HIGH, at) for at in (0.0, 1.0, 2.0)] == [None, None, HIGH]


def test_errors_that_are_too_far_apart_are_none() -> None:
    watch = Watch()
    assert [watch.occurred(HIGH, at * 7.5 * MINUTE) for at in range(5)] == [None] * 5


def test_while_an_alert_cools_down_there_is_no_other() -> None:
    watch = Watch()
    fired = [watch.occurred(CRITICAL, at) for at in (0.0, 299.0, 300.0, 301.0)]
    assert fired == [CRITICAL, None, CRITICAL, None]


def test_a_graver_error_breaks_the_silence() -> None:
    watch = Watch()
    for at in range(3):
        watch.occurred(HIGH, float(at))
    assert watch.occurred(HIGH, 3.0) is None
    assert watch.occurred(CRITICAL, 4.0) == CRITICAL


def test_grave_errors_count_towards_the_thresholds_below_theirs() -> None:
    watch = Watch()
    for at in range(9):
        assert watch.occurred(MEDIUM, float(at)) is None
    assert watch.occurred(HIGH, 9.0) == MEDIUM


class Naive:
    """Keeps everything and counts anew each time."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, Severity]] = []
        self.alerts: list[tuple[float, Severity]] = []

    def occurred(self, severity: Severity, now: float) -> Severity | None:
        self.seen.append((now, severity))
        for level in SEVERITIES[SEVERITIES.index(severity) :]:
            rule = THRESHOLDS[level]
            within = [at for at, each in self.seen if not is_graver(level, each) and now - at < rule.seconds]
            if len(within) < rule.occurrences:
                continue
            if self.alerts:
                at, last = self.alerts[-1]
                if not is_graver(level, last) and now - at < THRESHOLDS[last].seconds:
                    return None
            self.alerts.append((now, level))
            return level
        return None


@given(st.lists(st.tuples(st.floats(0, 20 * MINUTE), st.sampled_from(SEVERITIES)), max_size=150))
def test_alerts_are_those_of_a_count_of_everything(steps: list[tuple[float, Severity]]) -> None:
    watch, naive, now = Watch(), Naive(), 0.0
    for pause, severity in steps:
        now += pause
        assert watch.occurred(severity, now) == naive.occurred(severity, now)
