import asyncio
import pickle
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.errors import DeadlineExceededError
from mita_otel.retries import OutOfTimeError, TimeLimit, check, has_passed, remaining
from mita_otel.retries import deadline as room
from mita_otel.retries.deadline import Deadline, is_interrupted, reserve_of


def test_without_a_deadline_there_is_all_the_time() -> None:
    check()
    assert remaining() == inf


async def test_a_block_ends_after_its_own_seconds() -> None:
    began = time.monotonic()
    with pytest.raises(TimeoutError) as raised:
        async with TimeLimit(0.05):
            await asyncio.Event().wait()
    assert not isinstance(raised.value, OutOfTimeError), "the dependency was slow"
    assert 0.04 < time.monotonic() - began < 10


async def test_a_block_ends_with_the_deadline_around_it() -> None:
    with TimeLimit(0.05), pytest.raises(OutOfTimeError):
        async with TimeLimit(5.0, scope="cache"):
            await asyncio.Event().wait()


async def test_a_block_begins_not_at_all_once_the_time_is_over() -> None:
    token = room.begin(Deadline(-1.0))
    with pytest.raises(OutOfTimeError) as raised:
        async with TimeLimit(5.0, scope="cache"):
            pytest.fail("it has begun")
    with pytest.raises(OutOfTimeError):
        check("database")
    assert has_passed()
    room.restore(token)
    assert raised.value.scope == "cache"


def test_a_deadline_that_a_server_has_found_to_have_passed_has_passed() -> None:
    request = Deadline(30.0)
    Deadline(60.0, request).expire()
    assert request.spend_by <= time.monotonic()


def test_a_limit_that_has_passed_leaves_the_deadline_around_it() -> None:
    request = Deadline(30.0)
    limit = Deadline(5.0, request)
    limit.expire()
    assert limit.spend_by <= time.monotonic()
    assert request.spend_by > time.monotonic() + 20


def test_a_deadline_that_has_passed_does_not_move() -> None:
    passed = Deadline(-1.0)
    before = passed.spend_by
    passed.expire()
    assert passed.spend_by == before


@given(st.lists(st.floats(0.001, 1e6), min_size=1, max_size=6))
def test_deadlines_within_one_another_only_shrink(seconds: list[float]) -> None:
    limits = [TimeLimit(each) for each in seconds]
    least = inf
    for limit, each in zip(limits, seconds, strict=True):
        limit.__enter__()
        least = min(least, each)
        assert remaining() <= least
    for limit in reversed(limits):
        limit.__exit__(None, None, None)
    assert remaining() == inf


async def test_a_limit_that_is_longer_than_what_is_left_changes_nothing() -> None:
    with TimeLimit(1.0):
        async with TimeLimit(100.0):
            assert remaining() <= 1.0


async def test_tasks_inherit_it() -> None:
    async def left() -> float:
        return remaining()

    with TimeLimit(1.0):
        task = asyncio.create_task(left())
        assert await asyncio.to_thread(remaining) <= 1.0
    assert await task <= 1.0
    assert remaining() == inf


def test_threads_that_are_given_the_context_do_too() -> None:
    with TimeLimit(1.0), ThreadPoolExecutor(1) as pool:
        assert pool.submit(copy_context().run, remaining).result() <= 1.0


def test_a_deadline_that_is_lifted_is_none_for_whoever_lies_within() -> None:
    outer = Deadline(1.0)
    inner = Deadline(10.0, outer)
    assert inner.spend_by == outer.spend_by
    outer.lift()
    assert 9 < inner.spend_by - time.monotonic() <= 10


def test_it_is_no_matter_of_the_machines_date(monkeypatch: pytest.MonkeyPatch) -> None:
    with TimeLimit(10.0):
        monkeypatch.setattr(time, "time", lambda: 0.0)
        assert 9 < remaining() <= 10


@pytest.mark.parametrize("seconds", [0, -1, nan, inf])
def test_nonsense_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="seconds"):
        TimeLimit(seconds)


async def test_who_cancels_a_block_is_obeyed() -> None:
    async def work() -> None:
        async with TimeLimit(10.0):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_other_failures_of_a_block_go_on() -> None:
    with pytest.raises(TimeoutError, match="own"):
        async with TimeLimit(10.0):
            raise TimeoutError("its own")
    assert remaining() == inf


def test_a_deadline_that_interrupts_tells_who_lies_within_it() -> None:
    outer = Deadline(10.0)
    token = room.begin(Deadline(5.0, outer))
    before = is_interrupted(asyncio.CancelledError())
    outer.interrupt()
    after = is_interrupted(asyncio.CancelledError())
    of_another_kind = is_interrupted(ValueError())
    room.restore(token)

    assert (before, after, of_another_kind) == (False, True, False)
    assert not is_interrupted(asyncio.CancelledError()), "there is no deadline"


@given(st.floats(0.001, 3600))
def test_a_request_keeps_little_to_itself(seconds: float) -> None:
    assert 0 < reserve_of(seconds) <= min(0.05, seconds / 9)


def test_the_error_is_one_that_everybody_knows() -> None:
    error = OutOfTimeError("database")
    assert isinstance(error, TimeoutError)
    assert isinstance(error, DeadlineExceededError)
    assert (error.status, error.code) == (504, "TIMEOUT_8001")
    again = pickle.loads(pickle.dumps(error))
    assert (again.scope, str(again)) == (error.scope, str(error))
