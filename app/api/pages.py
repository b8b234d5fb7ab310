"""Pages of what was made one after the other, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Query
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute

from app.errors import ApiError

PAGE = 20
LARGEST_PAGE = 100
"""Items: what fits on a few screens, and what one query answers in milliseconds."""

LONGEST_CURSOR = 64
"""Characters: a time and an id."""

Cursor = Annotated[str | None, Query(max_length=LONGEST_CURSOR)]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE)]

Row = TypeVar("Row")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Order:
    """The columns that rows are put in order by, the latest first; the id decides among those of one moment."""

    created_at: InstrumentedAttribute[datetime]
    id: InstrumentedAttribute[UUID]

    def page(self, wanted: Select[Row], cursor: str | None, limit: int) -> Select[Row]:
        """Return the query for a page, and one row more to tell whether another follows.

        Raises:
            ApiError: 422 for a cursor that is none.
        """
        if cursor is not None:
            moment, last = read_cursor(cursor)
            wanted = wanted.where((self.created_at < moment) | ((self.created_at == moment) & (self.id < last)))
        return wanted.order_by(self.created_at.desc(), self.id.desc()).limit(limit + 1)


def next_cursor(found: Sequence[Any], limit: int) -> str | None:
    """Return where the next page begins; None if there is none."""
    if len(found) <= limit:
        return None
    last = found[limit - 1]
    return f"{(last.created_at - _EPOCH) // _MICROSECOND}.{last.id}"


def read_cursor(cursor: str) -> tuple[datetime, UUID]:
    """Return what a cursor says.

    Raises:
        ApiError: 422 if it is none of ours.
    """
    moment, _, last = cursor.partition(".")
    try:
        return _EPOCH + int(moment) * _MICROSECOND, UUID(last)
    except (ValueError, OverflowError) as error:
        raise ApiError(422, "CURSOR_INVALID", "the cursor is not one that this service gave") from error
