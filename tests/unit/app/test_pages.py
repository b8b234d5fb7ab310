"""Cursors lead on where a page ended."""

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.pages import LONGEST_CURSOR, next_cursor, read_cursor
from app.errors import ApiError


@dataclass(frozen=True)
class Row:
    created_at: datetime
    id: UUID


@given(st.integers(0, 10**17), st.uuids())
def test_a_cursor_says_where_the_page_ended(microseconds: int, row_id: UUID) -> None:
    created_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    cursor = next_cursor([Row(created_at, row_id), Row(created_at, uuid4())], 1)
    assert cursor is not None
    assert len(cursor) <= LONGEST_CURSOR
    assert read_cursor(cursor) == (created_at, row_id)


def test_the_last_page_has_no_cursor() -> None:
    assert next_cursor([Row(datetime.now(UTC), uuid4())], 1) is None
    assert next_cursor([], 1) is None


@given(st.text(max_size=LONGEST_CURSOR) | st.from_regex(r"-?[0-9]{1,25}\.[0-9a-f]{32}", fullmatch=True))
def test_any_other_text_is_refused_or_read(text: str) -> None:
    with contextlib.suppress(ApiError):
        assert isinstance(read_cursor(text)[1], UUID)


@pytest.mark.parametrize("text", ["", ".", "x.y", f"1e3.{UUID(int=7)}", f"{10**20}.{UUID(int=7)}"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ApiError):
        read_cursor(text)
