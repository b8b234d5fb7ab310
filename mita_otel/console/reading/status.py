"""What the console holds."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """What is stored.

    Attributes:
        spans: how many.
        records: log records, how many.
        points: data points of metrics, as far as the counters tell.
        size: bytes of the file that are in use.
        oldest: when what has been here longest was received, in microseconds since the epoch, or somewhat later.
        counters: what was received, refused and expired, by name.
    """

    spans: int
    records: int
    points: int
    size: int
    oldest: int | None
    counters: dict[str, int]


def status_of(connection: sqlite3.Connection) -> Status:
    """Return what is stored."""
    counters = dict(connection.execute("SELECT name, value FROM counters ORDER BY name").fetchall())
    spans, first_span = connection.execute("SELECT coalesce(sum(spans), 0), min(written) FROM span_blocks").fetchone()
    records, first_record = connection.execute(
        "SELECT coalesce(sum(records), 0), min(written) FROM record_blocks"
    ).fetchone()
    return Status(
        spans=spans,
        records=records,
        points=max(counters.get("points.received", 0) - counters.get("points.expired", 0), 0),
        size=_size_of(connection),
        oldest=min((time for time in (first_span, first_record) if time is not None), default=None),
        counters=counters,
    )


def _size_of(connection: sqlite3.Connection) -> int:
    pages, free, page = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * page)
