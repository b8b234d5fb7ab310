"""The oldest goes first, whole blocks at a time, and the store stays within its limits."""

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mita_otel.console.store import retention
from mita_otel.console.store.blocks import BLOCK_SIZE
from mita_otel.console.store.reserve import Reserve
from mita_otel.console.store.retention import Limits, Retention, used_bytes
from mita_otel.console.store.writing import Signal, Store
from tests.fixtures.otlp_requests import gauge, pairs, record, span
from tests.unit.console.store.conftest import Write

Rows = Callable[..., list[Any]]
Keep = Callable[..., Retention]
DAY = 86_400_000_000
LARGE = 10**12


@pytest.fixture
def keep(store: Store, tmp_path: Path) -> Keep:
    def make(*, size: int = LARGE, age: int = DAY) -> Retention:
        return Retention(store, Limits(size, age), Reserve(tmp_path / "reserve"))

    return make


def finish(kept: Retention) -> None:
    for _ in range(10_000):
        if not kept.step(0.001):
            return
    raise AssertionError("retention does not come to an end")


def backdate(store: Store, days: int) -> None:
    """Make all blocks older."""
    for kind in ("span", "record"):
        store.connection.execute(f"UPDATE {kind}_blocks SET written = written - {days * DAY}")


def test_nothing_goes_that_is_within_the_limits(write: Write, rows: Rows, keep: Keep) -> None:
    write(Signal.TRACES, span(start=0))
    write(Signal.LOGS, record())
    write(Signal.METRICS, gauge())
    finish(keep())
    assert [rows(f"SELECT count(*) FROM {table}")[0] for table in ("spans", "records", "points")] == [1, 1, 1]


def test_what_is_too_old_goes_with_all_that_belongs_to_it(write: Write, rows: Rows, keep: Keep, store: Store) -> None:
    write(Signal.TRACES, *(span() for _ in range(BLOCK_SIZE + 10)))
    changed, failed = record(), record()
    changed.attributes.extend(pairs({"event.name": "mita.health.change"}))
    failed.attributes.extend(pairs({"mita.error.fingerprint": "a", "mita.error.category": "system"}))
    write(Signal.LOGS, changed, failed)
    store.connection.execute("UPDATE error_minutes SET minute = minute - 2 * 1440")
    backdate(store, 2)
    write(Signal.METRICS, gauge(at=time.time_ns() // 1000 - 2 * DAY))
    finish(keep())
    tables = (
        "spans",
        "span_bodies",
        "span_blocks",
        "span_block_operations",
        "records",
        "record_bodies",
        "record_blocks",
        "told",
        "error_minutes",
    )
    assert {
        table: rows(f"SELECT count(*) FROM {table}")[0] for table in (*tables, "points", "series")
    } == dict.fromkeys((*tables, "points", "series"), 0)
    expired = dict(rows("SELECT name, value FROM counters WHERE name LIKE '%expired'"))
    assert expired == {"spans.expired": BLOCK_SIZE + 10, "records.expired": 2, "points.expired": 1}


def test_writing_goes_on_after_everything_went(write: Write, rows: Rows, keep: Keep, store: Store) -> None:
    write(Signal.TRACES, span("old"))
    write(Signal.METRICS, gauge(at=1))
    backdate(store, 2)
    finish(keep())
    write(Signal.TRACES, span("new"))
    write(Signal.METRICS, gauge())
    assert rows("SELECT id FROM spans") == [BLOCK_SIZE]
    assert rows("SELECT block, spans FROM span_blocks") == [(1, 1)]
    assert rows("SELECT count(*) FROM points JOIN series ON series = id") == [1]


def test_the_oldest_goes_when_there_is_too_much(write: Write, rows: Rows, keep: Keep, store: Store) -> None:
    for number in range(8):
        write(Signal.TRACES, *(span(number=number, text=random.randbytes(200).hex()) for _ in range(BLOCK_SIZE)))
    limit = used_bytes(store.connection) // 2
    finish(keep(size=limit))
    assert used_bytes(store.connection) <= limit
    blocks = rows("SELECT block FROM span_blocks")
    assert 1 <= len(blocks) <= 6
    assert blocks == list(range(blocks[0], 9))
    assert rows("SELECT count(*) FROM spans WHERE id < ?", blocks[0] * BLOCK_SIZE) == [0]


def test_pages_that_are_free_are_used_again(write: Write, rows: Rows, keep: Keep) -> None:
    kept = keep(size=4_000_000)
    sizes = []
    for _ in range(12):
        write(Signal.TRACES, *(span(text=random.randbytes(200).hex()) for _ in range(BLOCK_SIZE)))
        finish(kept)
        sizes.append(rows("PRAGMA page_count")[0])
    assert sizes[-1] <= sizes[3] * 1.2


def test_data_points_go_when_they_are_too_much(write: Write, rows: Rows, keep: Keep, store: Store) -> None:
    now = time.time_ns() // 1000
    write(Signal.METRICS, *(gauge(f"n{series}", at=now - age * 1000) for series in range(5) for age in range(4000)))
    limit = used_bytes(store.connection) * 2 // 3
    finish(keep(size=limit))
    assert used_bytes(store.connection) <= limit
    assert rows("SELECT count(*) FROM points")[0] > 1000
    assert rows("SELECT max(time) FROM points") == [now]


def test_points_of_the_future_cannot_stay_for_ever(write: Write, rows: Rows, keep: Keep, store: Store) -> None:
    future = time.time_ns() // 1000 + 400 * DAY
    write(Signal.METRICS, *(gauge(at=future + number) for number in range(20_000)))
    finish(keep(size=used_bytes(store.connection) // 2))
    assert rows("SELECT count(*) FROM points") == [0]


def test_a_limit_below_the_empty_file_comes_to_an_end(write: Write, rows: Rows, keep: Keep) -> None:
    write(Signal.TRACES, span())
    finish(keep(size=1))
    assert rows("SELECT count(*) FROM spans") == [0]


def test_names_that_nothing_uses_go_when_they_are_many(
    write: Write, rows: Rows, keep: Keep, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_MANY_NAMES", 3)
    for number in range(6):
        write(Signal.TRACES, span(f"op{number}", start=1), service=f"service{number}")
    backdate(store, 2)
    finish(keep())
    write(Signal.TRACES, span("new"), service="service0")
    assert rows("SELECT service FROM resources") == ["service0"]
    assert rows("SELECT name FROM operations") == ["new"]
    assert rows("SELECT count(*) FROM spans JOIN resources ON resource = resources.id") == [1]


def test_rates_go_with_their_minutes(write: Write, rows: Rows, keep: Keep) -> None:
    now = time.time_ns() // 1000
    write(Signal.TRACES, span(start=now - 20 * 3600 * 1_000_000), span(start=now))
    finish(keep(age=3600 * 1_000_000))
    assert rows("SELECT minute FROM minutes") == [now // 60_000_000]


def test_room_is_made_at_once_when_the_disk_is_full(write: Write, rows: Rows, keep: Keep, tmp_path: Path) -> None:
    for _ in range(3):
        write(Signal.TRACES, *(span() for _ in range(BLOCK_SIZE)))
    before = rows("PRAGMA freelist_count")[0]
    keep().make_room()
    assert rows("PRAGMA freelist_count")[0] > before
    assert (tmp_path / "reserve").stat().st_size > 0
