"""Rules are checked as they are written down, and calls are judged by them."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.breakers import EXTERNAL, GOOGLE_OAUTH, OPENAI, CircuitOpenError, Policy, Preset, Verdict
from mita_otel.breakers.verdicts import is_failing_result, verdict_of_exception
from mita_otel.breakers.window import Calls, Seconds
from mita_otel.errors import DeadlineExceededError


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("mode", value) for value in ("", "Rate", None)),
        ("window", "bytes"),
        *(("failure_threshold", value) for value in (0, -1, 2.5, True, "5", 10**9)),
        ("success_threshold", 0),
        *(("failure_rate", value) for value in (0, 1.1, float("nan"), "half", None)),
        ("slow_rate", 0),
        *(("slow_seconds", value) for value in (0, -1.0, float("inf"))),
        ("window_size", 0),
        ("minimum_calls", 0),
        ("half_open_calls", 0),
        ("half_open_concurrency", 4),
        *(("open_seconds", value) for value in (0, -5, float("nan"), float("inf"), 1e9)),
        ("open_seconds_max", 59.0),
        *(("open_jitter", value) for value in (-0.1, 1.1)),
        *(("open_backoff", value) for value in (0.5, float("nan"))),
        ("probe_seconds", 0),
        ("judge_exception", None),
        ("judge_result", 7),
    ],
)
def test_nonsense_is_refused_with_the_name_of_the_field(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{field}=.* is not allowed: "):
        Policy(**{field: value})
    with pytest.raises(ValueError, match=rf"^{field}=.* is not allowed: "):
        replace(OPENAI.policy, **{field: value})


def test_a_window_smaller_than_what_it_must_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="minimum_calls=20 is not allowed: at most window_size=10"):
        Policy(mode="rate", window_size=10)


@pytest.mark.parametrize(
    ("preset", "failures", "timeout", "retries"),
    [(OPENAI, 3, 60.0, 2), (GOOGLE_OAUTH, 5, 10.0, 3), (EXTERNAL, 4, 30.0, 2)],
    ids=["OpenAI", "Google OAuth", "external"],
)
def test_the_presets_are_those_of_the_report(preset: Preset, failures: int, timeout: float, retries: int) -> None:
    assert (preset.policy.failure_threshold, preset.timeout_seconds, preset.max_retries) == (failures, timeout, retries)
    assert (preset.policy.success_threshold, preset.policy.open_seconds) == (3, 60.0)


class _StatusError(Exception):
    def __init__(self, status: int) -> None:
        self.response = SimpleNamespace(status_code=status)


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (ConnectionError(), Verdict.FAILURE),
        (TimeoutError(), Verdict.FAILURE),
        (ValueError("no JSON"), Verdict.FAILURE),
        (_StatusError(404), Verdict.SUCCESS),
        (_StatusError(422), Verdict.SUCCESS),
        (_StatusError(429), Verdict.FAILURE),
        (_StatusError(500), Verdict.FAILURE),
        (_StatusError(503), Verdict.FAILURE),
        (CircuitOpenError("other", 1.0), Verdict.IGNORED),
        (DeadlineExceededError("no time is left"), Verdict.IGNORED),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, Exception) else value.value,
)
def test_an_exception_is_judged_by_its_status_if_it_has_one(error: Exception, verdict: Verdict) -> None:
    assert verdict_of_exception(error) is verdict


@pytest.mark.parametrize(
    ("result", "failing"),
    [(SimpleNamespace(status_code=s), s in {429, 500, 503}) for s in (200, 301, 404, 429, 500, 503)]
    + [("text", False), (None, False), (SimpleNamespace(status_code="500"), False)],
    ids=str,
)
def test_a_response_is_judged_by_its_status_and_nothing_else_is(result: object, failing: bool) -> None:  # noqa: FBT001 - a table
    assert is_failing_result(result) is failing


_calls = st.lists(st.tuples(st.floats(0, 30), st.booleans(), st.booleans()), max_size=60)


@given(st.integers(1, 12), _calls)
def test_a_window_of_calls_holds_the_last_ones(size: int, calls: list[tuple[float, bool, bool]]) -> None:
    window = Calls(size, (1 << size) - 1)
    for now, failed, slow in calls:
        window = window.after(now, failed=failed, slow=slow)
    last = calls[-size:]
    counted = (window.calls, window.failed.bit_count(), window.slow.bit_count())
    assert counted == (len(last), sum(call[1] for call in last), sum(call[2] for call in last))


@given(st.integers(1, 12), _calls)
def test_a_window_of_seconds_holds_those_of_the_last_seconds(size: int, calls: list[tuple[float, bool, bool]]) -> None:
    window, latest = Seconds(size), 0.0
    for now, failed, slow in sorted(calls):
        window, latest = window.after(now, failed=failed, slow=slow), now
    last = [call for call in calls if int(call[0]) > int(latest) - size]
    counted = (
        window.before.calls + window.current.calls,
        window.before.failed + window.current.failed,
        window.before.slow + window.current.slow,
    )
    assert counted == (len(last), sum(call[1] for call in last), sum(call[2] for call in last))
