"""The canonical form is that of RFC 8785, and one value has one form."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.logs.audit.canonical import canonical

SAFE = 2**53
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-SAFE, SAFE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def _read(form: str) -> Any:
    """Read numbers as ECMAScript does: a large one is a double, however it is written."""
    return json.loads(form, parse_int=lambda digits: int(digits) if abs(int(digits)) <= SAFE else float(digits))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.0, "0"), (-0.0, "0"), (5e-324, "5e-324"), (-5e-324, "-5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"), (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"), (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"), (1.0000000000000001e23, "1.0000000000000001e+23"),
        (999999999999999700000.0, "999999999999999700000"), (999999999999999900000.0, "999999999999999900000"),
        (1e21, "1e+21"), (9.999999999999997e-7, "9.999999999999997e-7"), (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"), (333333333.33333325, "333333333.33333325"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"), (1424953923781206.2, "1424953923781206.2"),
    ],
)  # fmt: skip
def test_numbers_are_those_of_the_appendix_of_the_rfc(number: float, expected: str) -> None:
    assert canonical(number) == expected


def test_keys_are_ordered_by_their_utf_16() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\u00f6"]
    found = list(json.loads(canonical(dict.fromkeys(keys, 0))))
    assert found == ["\r", "1", "\x80", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_text_is_escaped_where_it_has_to_be_and_nowhere_else() -> None:
    assert canonical("\u20ac$\x0f\nA'B\"\\/\x7f") == '"\u20ac$\\u000f\\nA\'B\\"\\\\/\x7f"'


@given(VALUES)
def test_what_is_written_reads_back_as_what_it_was(value: Any) -> None:
    assert _read(canonical(value)) == value


@given(st.dictionaries(st.text(max_size=5), st.integers(-SAFE, SAFE), min_size=2))
def test_the_order_of_keys_makes_no_difference(mapping: dict[str, int]) -> None:
    assert canonical(dict(reversed(mapping.items()))) == canonical(mapping)


@given(VALUES)
def test_a_canonical_form_is_its_own(value: Any) -> None:
    assert canonical(_read(canonical(value))) == canonical(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), SAFE + 1, -SAFE - 1], ids=str)
def test_a_number_without_a_canonical_form_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="no canonical form"):
        canonical(value)


def test_a_type_without_a_canonical_form_is_refused() -> None:
    with pytest.raises(TypeError, match="set has no canonical form"):
        canonical({"a": {1}})
