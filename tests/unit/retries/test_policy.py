from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.retries import DATABASE, Policy, Reason
from mita_otel.retries.decision import Failure, judged


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("attempts", value) for value in (0, -1, 21, 2.5, "3", None, True)),
        *(("base_seconds", value) for value in (-0.1, nan, inf, 4000, "1")),
        *(("cap_seconds", value) for value in (-1, 0.05, nan, inf, 4000)),
        *(("timeout_seconds", value) for value in (0, -1, nan, inf, 4000, "30")),
        *(("judge", value) for value in (None, 5, "is_transient")),
        *(("budget", value) for value in (None, 0.2)),
    ],
)
def test_nonsense_is_refused_with_its_field(field: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{field}="):
        replace(Policy(), **{field: value})


FAILURES = st.builds(
    Failure,
    retries=st.integers(0, 25),
    elapsed=st.floats(0, 100),
    left=st.floats(-10, 100) | st.just(inf),
    typical=st.floats(0, 10),
    may_repeat=st.booleans(),
    is_refused=st.booleans(),
    asked_to_wait=st.floats(0, 100) | st.just(inf),
)


@given(FAILURES, st.integers(1, 20), st.none() | st.floats(0.001, 100), st.floats(0, 1))
def test_a_retry_is_within_every_limit(failure: Failure, attempts: int, timeout: float | None, draw: float) -> None:
    policy = Policy(attempts=attempts, timeout_seconds=timeout)
    verdict = judged(policy, failure, draw)
    if isinstance(verdict, Reason):
        return
    assert not failure.is_refused
    assert failure.may_repeat
    assert failure.retries + 1 < attempts
    assert verdict >= failure.asked_to_wait
    assert verdict + failure.typical <= failure.left
    assert timeout is None or failure.elapsed + verdict <= timeout


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Failure(0, 0, is_refused=True, may_repeat=False, left=-1), Reason.CIRCUIT_OPEN),
        (Failure(0, 0, may_repeat=False, left=-1), Reason.NOT_IDEMPOTENT),
        (Failure(2, 0, left=-1), Reason.ATTEMPTS),
        (Failure(0, 0, left=0.5, typical=0.6), Reason.TIMEOUT),
        (Failure(0, 31), Reason.TIMEOUT),
        (Failure(0, 0, asked_to_wait=31), Reason.TIMEOUT),
    ],
)
def test_a_reason_is_given(failure: Failure, reason: Reason) -> None:
    assert judged(Policy(), failure, 0.5) is reason


def test_conflicts_of_transactions_are_not_waited_for_long() -> None:
    assert judged(DATABASE, Failure(0, 0), 1.0) == 0.02
