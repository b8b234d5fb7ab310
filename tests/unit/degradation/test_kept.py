"""Answers of better days."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from mita_otel.degradation.kept import ENTRIES_AT_MOST, Answers, MemoryStore


class Remark(BaseModel):
    text: str
    amount: Decimal
    on: date


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def answers(clock: Clock) -> Answers[list[Remark]]:
    return Answers(MemoryStore(clock), "insights", list[Remark], max_age=60, clock=clock)


REMARK = Remark(text="more", amount=Decimal("1.10"), on=date(2026, 11, 24))


async def test_an_answer_is_given_as_it_was_with_its_age(answers: Answers[list[Remark]], clock: Clock) -> None:
    await answers.keep("jane", [REMARK])
    clock.now += 20
    assert await answers.find("jane") == ([REMARK], 20.0)
    assert await answers.find("john") is None


@pytest.mark.parametrize(("later", "there"), [(59.0, True), (61.0, False), (-30.0, True)])
async def test_an_answer_beyond_its_age_is_none(
    answers: Answers[list[Remark]],
    clock: Clock,
    later: float,
    there: bool,  # noqa: FBT001 - a row of the table
) -> None:
    await answers.keep("jane", [REMARK])
    clock.now += later
    found = await answers.find("jane")
    assert (found is not None) == there
    assert found is None or found.age >= 0


@given(st.text())
async def test_what_cannot_be_read_is_none(text: str) -> None:
    store = MemoryStore()
    answers: Answers[int] = Answers(store, "insights", int, max_age=60)
    await store.set("degradation:insights:jane", text, 60)
    assert await answers.find("jane") is None


async def test_a_store_that_fails_keeps_nothing_and_has_nothing() -> None:
    class Broken:
        async def get(self, key: str) -> Any:
            raise ConnectionError

        async def set(self, key: str, value: str, seconds: int) -> None:
            raise ConnectionError

    answers: Answers[int] = Answers(Broken(), "insights", int, max_age=60)
    await answers.keep("jane", 1)
    assert await answers.find("jane") is None


async def test_memory_forgets_what_was_not_asked_for_longest() -> None:
    store = MemoryStore()
    for number in range(ENTRIES_AT_MOST):
        await store.set(str(number), "x", 60)
    await store.get("0")
    await store.set("one more", "x", 60)
    assert (await store.get("0"), await store.get("1")) == ("x", None)


def test_an_age_below_a_second_is_refused() -> None:
    with pytest.raises(ValueError, match="max_age=0"):
        Answers(MemoryStore(), "insights", int, max_age=0)
