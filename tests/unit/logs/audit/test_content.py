"""What an application hands over is masked, plain and bounded before it is recorded."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from mita_otel.logs.audit.canonical import canonical
from mita_otel.logs.audit.content import LARGEST, changes, plain_details, short

CARD = "4111 1111 1111 1111"


@dataclass
class Broken:
    name: str = "x"

    def __str__(self) -> str:
        raise RuntimeError


def test_only_fields_that_differ_are_changes() -> None:
    found = changes({"limit": Decimal("100.00"), "category": "food"}, {"limit": Decimal("120.00"), "category": "food"})
    assert found == {"limit": {"before": "100.00", "after": "120.00"}}


def test_what_is_made_and_what_is_deleted_is_whole() -> None:
    assert changes(None, {"name": "Jane"}) == {"name": {"before": None, "after": "Jane"}}
    assert changes({"name": "Jane"}, None) == {"name": {"before": "Jane", "after": None}}


def test_nothing_that_differs_is_no_change() -> None:
    assert changes({"a": 1}, {"a": 1}) is None


def test_a_change_of_a_secret_shows_that_it_changed_and_not_to_what() -> None:
    found = changes({"password": "hunter2", "note": CARD}, {"password": "hunter3", "note": "none"})
    assert found is not None
    assert found["password"] == {"before": "[REDACTED]", "after": "[REDACTED]"}
    assert "hunter" not in str(found)
    assert "1111 1111" not in str(found)


def test_values_are_as_json_can_say_them() -> None:
    given_ = {"id": UUID(int=1), "day": date(2026, 11, 24), "big": 2**60, "raw": b"\x00a", "set": {1}}
    assert plain_details(given_) == {
        "id": "00000000-0000-0000-0000-000000000001", "day": "2026-11-24", "big": str(2**60), "raw": "a", "set": [1],
    }  # fmt: skip


def test_too_much_is_left_out_and_said_so() -> None:
    found = plain_details({str(number): "x" * 1000 for number in range(100)})
    assert found is not None
    assert list(found) == ["left_out"]


def test_a_name_fits_its_column_and_holds_no_secret() -> None:
    assert len(short("x" * 1000) or "") == 200
    assert "1111 1111" not in (short(f"card {CARD}") or "")
    assert short(Broken()) is not None
    assert short(None) is None


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=4),
    max_leaves=10,
)


@given(st.dictionaries(st.text(max_size=10), ANY | st.decimals(), max_size=5))
def test_anything_has_a_canonical_form_of_a_bounded_size_without_nul(content: dict[str, object]) -> None:
    form = canonical(plain_details(content))
    assert len(form) <= LARGEST
    assert "\\u0000" not in form
