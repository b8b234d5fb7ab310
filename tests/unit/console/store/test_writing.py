"""Transactions: all or nothing, and after nothing all goes on."""

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from mita_otel.console.store.blocks import may_contain
from mita_otel.console.store.writing import Batch, Signal, Store
from tests.fixtures.otlp_requests import gauge, record, resource, span
from tests.unit.console.store.conftest import Write

Rows = Callable[..., list[Any]]


def batch(*items: Any) -> Batch:
    return Batch(resource().SerializeToString(), b"", [item.SerializeToString() for item in items])


def test_a_rollback_leaves_nothing_behind_and_spoils_nothing(store: Store, write: Write, rows: Rows) -> None:
    write(Signal.TRACES, span("kept", colour="red"))
    store.begin()
    store.write(Signal.TRACES, [batch(span("lost", colour="blue"))])
    store.write(Signal.LOGS, [batch(record())])
    store.write(Signal.METRICS, [batch(gauge())])
    store.rollback()
    write(Signal.TRACES, span("lost", colour="green"), service="bank")
    write(Signal.METRICS, gauge())
    assert rows("SELECT service, name FROM operations ORDER BY id") == [("shop", "kept"), ("bank", "lost")]
    assert rows("SELECT spans FROM span_blocks") == [2]
    assert [rows(f"SELECT count(*) FROM {table}")[0] for table in ("spans", "records", "points")] == [2, 0, 1]
    bloom = rows("SELECT bloom FROM span_blocks")[0]
    assert [may_contain(bloom, [f"colour={colour}"]) for colour in ("red", "green", "blue")] == [True, True, False]
    assert dict(rows("SELECT name, value FROM counters")) == {"spans.received": 2, "points.received": 1}


def test_ids_are_not_used_again_after_a_rollback(store: Store, write: Write, rows: Rows) -> None:
    store.begin()
    store.write(Signal.TRACES, [batch(span(), span())])
    store.rollback()
    write(Signal.TRACES, span())
    assert rows("SELECT id FROM spans") == [3]


def test_a_full_file_is_an_error_and_keeps_what_it_has(store: Store, write: Write, rows: Rows) -> None:
    write(Signal.TRACES, span())
    store.connection.execute(f"PRAGMA max_page_count = {rows('PRAGMA page_count')[0] + 5}")
    store.begin()
    large = batch(*(span(text="x" * 1000) for _ in range(5000)))
    with pytest.raises(sqlite3.OperationalError, match="full"):
        store.write(Signal.TRACES, [large])
    store.rollback()
    assert rows("SELECT count(*) FROM spans") == [1]
    store.connection.execute("PRAGMA max_page_count = 1000000")
    write(Signal.TRACES, span())
    assert rows("SELECT count(*) FROM spans") == [2]


@pytest.mark.parametrize(("resource_", "scope"), [(b"\x0a\xff", b""), (resource().SerializeToString(), b"\x0a\xff")])
def test_a_malformed_resource_or_scope_costs_its_items(store: Store, resource_: bytes, scope: bytes) -> None:
    bad = Batch(resource_, scope, batch(span(), span()).items)
    store.begin()
    outcome = store.write(Signal.TRACES, [bad, batch(span())])
    store.commit()
    assert (outcome.accepted, outcome.refused) == (1, 2)
    assert "malformed resource or scope" in outcome.reason
