"""What may be kept, and what comes back."""

import datetime as dt
import enum
import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from mita_otel.cache.values import LARGEST, PLAIN, RejectedError, UnreadableError, codec_of

json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: Decimal


class Budget(BaseModel):
    month: dt.date
    cents: dict[str, Decimal]


@given(json)
def test_json_comes_back(value: Any) -> None:
    assert PLAIN.decode(PLAIN.encode(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1, 2},
        b"bytes",
        (1, 2),
        {"a": (1, 2)},
        {1: "a"},
        math.nan,
        math.inf,
        Decimal("1.5"),
        dt.date(2026, 1, 1),
        uuid.UUID(int=1),
        Point(1, Decimal(2)),
        Budget(month=dt.date(2026, 1, 1), cents={}),
        Colour.RED,
        2**70,
        "\ud800",
    ],
    ids=lambda value: f"a {type(value).__name__}",
)
def test_what_would_come_back_as_something_else_is_rejected(value: object) -> None:
    with pytest.raises(RejectedError):
        PLAIN.encode(value)


def test_what_has_no_end_is_rejected() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(RejectedError):
        PLAIN.encode(endless)


def test_a_value_has_a_size_limit() -> None:
    assert len(PLAIN.encode("x" * (LARGEST - 2))) == LARGEST
    with pytest.raises(RejectedError, match=str(LARGEST)):
        PLAIN.encode("x" * (LARGEST - 1))


@pytest.mark.parametrize("stored", [b"", b"{", b"\xff\xfe", b"not json", b"NaN"])
def test_what_is_no_json_cannot_be_read(stored: bytes) -> None:
    with pytest.raises(UnreadableError):
        PLAIN.decode(stored)


def _declaring(kind: object) -> Callable[[], Any]:
    """A function that declares what it returns."""

    def function() -> Any: ...

    function.__annotations__["return"] = kind
    return function


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Point, Point(1, Decimal("2.50"))),
        (list[tuple[Point, ...]], [(Point(1, Decimal(2)),), ()]),
        (Budget | None, Budget(month=dt.date(2026, 1, 1), cents={"food": Decimal("1.10")})),
        (Budget | None, None),
        (Decimal, Decimal("0.1")),
        (Colour, Colour.RED),
        (None, None),
        ("Budget", Budget(month=dt.date(2026, 1, 1), cents={})),
    ],
)
def test_a_declared_type_comes_back(kind: object, value: object) -> None:
    codec = codec_of(_declaring(kind))
    back = codec.decode(codec.encode(value))
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize("value", [Point(1, Decimal(2)), "text", None])
def test_what_is_not_of_the_declared_type_is_rejected(value: object) -> None:
    with pytest.raises(RejectedError):
        codec_of(_declaring(Colour)).encode(value)


@pytest.mark.parametrize("stored", [b"{", b"null", b'{"x": "one"}', b'{"x": 1}', b'"red"'])
def test_another_versions_value_cannot_be_read(stored: bytes) -> None:
    with pytest.raises(UnreadableError):
        codec_of(_declaring(Point)).decode(stored)


def test_a_number_that_json_does_not_have_is_rejected() -> None:
    with pytest.raises(RejectedError):
        codec_of(_declaring(float)).encode(math.nan)


def test_a_type_that_cannot_be_kept_is_told_when_the_function_is_defined() -> None:
    class Connection:
        pass

    with pytest.raises(TypeError, match=r"function returns .*Connection.*, which cannot be kept as JSON"):
        codec_of(_declaring(Connection))


def test_a_type_that_only_type_checkers_see_is_none() -> None:
    undeclared = _declaring(None)
    undeclared.__annotations__.clear()
    assert codec_of(_declaring("Unseen")) is PLAIN
    assert codec_of(undeclared) is PLAIN
    assert codec_of(lambda: None) is PLAIN


def test_the_types_of_parameters_do_not_matter() -> None:
    function = _declaring(Decimal)
    function.__annotations__["of"] = "Unseen"
    assert codec_of(function).decode(b'"1.5"') == Decimal("1.5")
