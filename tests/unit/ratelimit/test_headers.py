"""What clients are told, as the IETF's draft writes it."""

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from mita_otel.ratelimit.headers import Told, fields, retry_after
from mita_otel.ratelimit.window import Decision


def _decision(**changed: int) -> Decision:
    return Decision(**({"is_allowed": True, "limit": 10, "remaining": 3, "renews_in": 1, "retry_in": 0} | changed))  # type: ignore[arg-type] # is_allowed


TOLD = [Told("login", 900, _decision()), Told("api", 3600, _decision(limit=1000, remaining=999, renews_in=2001))]


def test_the_fields_are_those_of_the_draft() -> None:
    assert fields(TOLD) == [
        (b"ratelimit-policy", b'"login";q=10;w=900, "api";q=1000;w=3600'),
        (b"ratelimit", b'"login";r=3;t=1, "api";r=999;t=3'),
    ]


def test_no_policy_has_no_fields() -> None:
    assert fields([]) == []


def test_the_older_names_tell_of_the_policy_with_the_least_left() -> None:
    found = dict(fields(TOLD, legacy=True))
    assert (found[b"x-ratelimit-limit"], found[b"x-ratelimit-remaining"]) == (b"10", b"3")
    assert 0 <= int(found[b"x-ratelimit-reset"]) - time.time() <= 2


DECISIONS = st.builds(
    Decision,
    is_allowed=st.just(value=False),
    limit=st.integers(1, 100),
    remaining=st.just(0),
    renews_in=st.integers(1, 10_000_000),
    retry_in=st.integers(1, 10_000_000),
)


@given(st.lists(DECISIONS, min_size=1, max_size=4))
def test_retry_after_is_never_earlier_than_what_a_policy_says(decisions: list[Decision]) -> None:
    limits = dict(fields([Told(f"p{number}", 60, each) for number, each in enumerate(decisions)]))[b"ratelimit"]
    told = [int(seconds) for seconds in re.findall(rb";t=(\d+)", limits)]
    assert retry_after(decisions) >= max(told)
    assert all(retry_after(decisions) * 1000 >= each.retry_in for each in decisions)
