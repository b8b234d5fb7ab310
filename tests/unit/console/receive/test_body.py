"""Bodies are unpacked within their bounds."""

import gzip
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.receive.body import LIMIT, Budget, RefusedError, gunzip


@given(st.lists(st.binary(min_size=1, max_size=1000), min_size=1, max_size=4))
def test_all_members_are_unpacked(members: list[bytes]) -> None:
    assert gunzip(b"".join(map(gzip.compress, members))) == b"".join(members)


@given(st.binary(max_size=200), st.integers(0, 300))
def test_a_body_up_to_the_limit_is_taken_and_no_longer_one(content: bytes, limit: int) -> None:
    if len(content) <= limit:
        assert gunzip(gzip.compress(content), limit) == content
    else:
        with pytest.raises(RefusedError) as refused:
            gunzip(gzip.compress(content), limit)
        assert refused.value.status == 413


def test_the_limit_holds_for_all_members_together() -> None:
    with pytest.raises(RefusedError) as refused:
        gunzip(gzip.compress(b"a" * 60) * 2, 100)
    assert refused.value.status == 413


def test_a_bomb_takes_no_more_memory_than_the_limit() -> None:
    bomb = gzip.compress(bytes(200 * 1024 * 1024), compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(RefusedError) as refused:
            gunzip(bomb)
        assert tracemalloc.get_traced_memory()[1] < 4 * LIMIT
    finally:
        tracemalloc.stop()
    assert refused.value.status == 413


@given(st.binary(min_size=1, max_size=300))
def test_what_is_not_gzip_is_refused(content: bytes) -> None:
    with pytest.raises(RefusedError) as refused:
        gunzip(b"\0" + content)
    assert refused.value.status == 400


@given(st.integers(1, 500))
def test_a_body_without_its_end_is_refused(missing: int) -> None:
    packed = gzip.compress(bytes(range(256)) * 4, mtime=0)
    with pytest.raises(RefusedError) as refused:
        gunzip(packed[: max(len(packed) - missing, 1)])
    assert refused.value.status == 400


def test_what_follows_the_last_member_must_be_one() -> None:
    with pytest.raises(RefusedError):
        gunzip(gzip.compress(b"a") + b"garbage")


@given(st.lists(st.integers(0, 50), max_size=30))
def test_a_budget_is_never_overdrawn(amounts: list[int]) -> None:
    budget = Budget(100)
    taken = [amount for amount in amounts if budget.take(amount)]
    assert sum(taken) <= 100
    for amount in taken:
        budget.give(amount)
    assert budget.take(100)
    assert not budget.take(1)
