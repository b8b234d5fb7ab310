"""Which errors are the same."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.errors import fingerprint
from mita_otel.errors.fingerprint import MOST_CAUSES, normalised, root_cause

CODE = """
def work(value):
    return int(value)

def other(value):
    return int(value)

def outer(value):
    try:
        work(value)
    except ValueError as error:
        raise RuntimeError(f"order {value}") from error
"""


def caught(call: str, source: str = CODE, module: str = "shop.orders") -> Exception:
    namespace = {"__name__": module}
    exec(compile(source, "/srv/shop/orders.py", "exec"), namespace)
    try:
        exec(call, namespace)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError(call)


def test_an_edit_above_makes_no_new_group() -> None:
    moved = "# a comment\n\n\nUNUSED = 1\n" + CODE
    assert fingerprint(caught("work('x')")) == fingerprint(caught("work('x')", moved))


def test_other_values_make_no_new_group() -> None:
    assert fingerprint(caught("work('x')")) == fingerprint(caught("work('order 4711')"))


def test_another_place_makes_a_new_group() -> None:
    assert fingerprint(caught("work('x')")) != fingerprint(caught("other('x')"))


def test_another_kind_makes_a_new_group() -> None:
    assert fingerprint(caught("work('x')")) != fingerprint(caught("work([])"))


def test_what_wraps_a_cause_is_the_same_as_the_cause() -> None:
    error = caught("outer('x')")
    assert error.__cause__ is not None
    assert fingerprint(error) == fingerprint(error.__cause__)


def test_a_group_of_exceptions_is_the_same_as_its_first() -> None:
    error = caught("work('x')")
    assert fingerprint(ExceptionGroup("several", [error, TypeError()])) == fingerprint(error)


def test_without_a_frame_of_the_application_the_message_counts() -> None:
    def library(text: str) -> str:
        with pytest.raises(json.JSONDecodeError) as caught:
            json.loads(text)
        return fingerprint(caught.value, lambda *_: False)

    assert library("[1") == library("[1234567")
    assert library("[1") != library("nonsense")


def test_causes_may_form_a_ring() -> None:
    one, two = ValueError(), TypeError()
    one.__cause__, two.__cause__ = two, one
    assert re.fullmatch(r"[0-9a-f]{16}", fingerprint(one))


def test_a_long_chain_of_causes_ends() -> None:
    error = first = Exception("0")
    for number in range(10 * MOST_CAUSES):
        error.__cause__ = Exception(str(number))
        error = error.__cause__
    assert root_cause(first) is not first


def test_a_message_that_cannot_be_made_is_none() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert normalised(BrokenError()) == "<no message>"
    assert re.fullmatch(r"[0-9a-f]{16}", fingerprint(BrokenError()))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("user 42 is gone", "user <n> is gone"),
        ("no row for 3f2504e0-4f89-11d3-9a0c-0305e82c3301", "no row for <uuid>"),
        ("jane@example.com is taken", "<email> is taken"),
        ("key 'a b' is missing", "key <text> is missing"),
        ("object at 0x7f8a12b3c4d5", "object at <hex>"),
        ("defaced facade", "defaced facade"),
    ],
)
def test_what_differs_from_time_to_time_is_left_out_of_a_message(message: str, expected: str) -> None:
    assert normalised(Exception(message)) == expected


@given(st.text(max_size=2000))
def test_any_message_is_normalised(message: str) -> None:
    assert len(normalised(Exception(message))) <= 5 * 500
    assert re.fullmatch(r"[0-9a-f]{16}", fingerprint(Exception(message)))
