"""Spans are written as they came, and found again by what their blocks say."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mita_otel.console.store.blocks import BLOCK_SIZE, may_contain, token_of
from mita_otel.console.store.durations import bucket_of, unpack
from mita_otel.console.store.schema import ERROR, ROOT
from mita_otel.console.store.writing import Batch, Signal, Store
from tests.fixtures.otlp_requests import nested_attribute, pairs, resource, span, span_id, trace_id, with_attribute
from tests.unit.console.store.conftest import Write

Rows = Callable[..., list[Any]]
TRACES = Signal.TRACES
NOW = time.time_ns() // 1000


def test_a_span_is_a_row_and_a_body(write: Write, rows: Rows) -> None:
    made = span("GET /orders", start=NOW, duration=1500, error=True)
    assert write(TRACES, made).accepted == 1
    assert rows("SELECT trace, start, duration, flags FROM spans") == [(made.trace_id, NOW, 1500, ERROR | ROOT)]
    assert rows("SELECT body FROM span_bodies JOIN spans USING (id)") == [made.SerializeToString()]
    assert rows("SELECT service, name, kind FROM operations") == [("shop", "GET /orders", Span.SPAN_KIND_SERVER)]
    assert rows("SELECT service FROM resources") == ["shop"]


@pytest.mark.parametrize(("parent", "flags"), [(b"", ROOT), (bytes(8), ROOT), (b"12345678", 0)])
def test_a_span_without_a_parent_is_a_root(write: Write, rows: Rows, parent: bytes, flags: int) -> None:
    write(TRACES, span(parent=parent))
    assert rows("SELECT flags FROM spans") == [flags]


@pytest.mark.parametrize(
    ("trace", "own"),
    [
        (bytes(16), b"12345678"),
        (b"0123456789abcdef", bytes(8)),
        (b"", b"12345678"),
        (b"0123456789abcdef", b""),
        (b"short", b"12345678"),
    ],
    ids=["zero trace", "zero span", "no trace", "no span", "short trace"],
)
def test_a_span_without_ids_is_refused_alone(write: Write, rows: Rows, trace: bytes, own: bytes) -> None:
    outcome = write(TRACES, span(), span(trace=trace, own=own), span())
    assert (outcome.accepted, outcome.refused) == (2, 1)
    assert "trace_id must be 16 bytes" in outcome.reason
    assert rows("SELECT count(*) FROM spans") == [2]
    assert dict(rows("SELECT name, value FROM counters")) == {"spans.received": 2, "spans.rejected": 1}


@pytest.mark.parametrize(
    "attribute",
    [
        pairs({"a": "x"})[0].SerializeToString().replace(b"x", b"\xff"),
        pairs({"a": "x"})[0].SerializeToString().replace(b"a", b"\xff"),
        nested_attribute(200),
        nested_attribute(20_000),
        b"\x0a\xff",
    ],
    ids=["value-not-utf8", "key-not-utf8", "nested-200", "nested-20000", "truncated"],
)
def test_a_malformed_attribute_costs_its_span_alone(write: Write, rows: Rows, attribute: bytes) -> None:
    bad = with_attribute(span(name="bad").SerializeToString(), attribute)
    outcome = write(TRACES, span(name="good"), bad, span(name="good"))
    assert (outcome.accepted, outcome.refused) == (2, 1)
    assert "malformed span" in outcome.reason
    assert rows("SELECT name FROM operations JOIN spans ON operation = operations.id") == ["good", "good"]


def test_what_is_malformed_within_events_links_and_status_is_refused_too(write: Write) -> None:
    sound = span().SerializeToString()
    for number in (11, 13, 15):
        outcome = write(TRACES, with_attribute(sound, b"\x0a\xff", number), span())
        assert (outcome.accepted, outcome.refused) == (1, 1), number


def test_a_name_that_is_not_utf8_is_refused(write: Write) -> None:
    bad = span(name="NAME").SerializeToString().replace(b"NAME", b"N\xffME")
    assert write(TRACES, bad, span()).refused == 1


def test_nesting_that_the_format_allows_is_kept(write: Write, rows: Rows) -> None:
    made = with_attribute(span().SerializeToString(), nested_attribute(5))
    assert write(TRACES, made).accepted == 1
    assert Span.FromString(rows("SELECT body FROM span_bodies")[0]).attributes[0].key == "deep"


def test_an_end_before_the_start_is_no_duration(write: Write, rows: Rows) -> None:
    write(TRACES, span(start=NOW, duration=-5_000_000))
    assert rows("SELECT start, duration FROM spans") == [(NOW, 0)]


@pytest.mark.parametrize(
    "start", [0, NOW + 400 * 86_400_000_000, 2**64 // 1000 - 10], ids=["epoch", "next year", "end of time"]
)
def test_an_absurd_time_is_kept_and_counts_in_no_rate(write: Write, rows: Rows, start: int) -> None:
    assert write(TRACES, span(start=start, duration=1)).accepted == 1
    assert rows("SELECT start FROM spans") == [start]
    assert rows("SELECT first, last FROM span_blocks") == [(start, start)]
    assert rows("SELECT count(*) FROM minutes") == [0]


def test_ten_thousand_attributes_are_kept(write: Write, rows: Rows) -> None:
    made = span(attributes={f"key{number}": number for number in range(10_000)})
    assert write(TRACES, made).accepted == 1
    bloom = rows("SELECT bloom FROM span_blocks")[0]
    assert may_contain(bloom, [token_of("key9999", 9999)])


def test_a_span_that_comes_twice_is_stored_twice(write: Write, rows: Rows) -> None:
    made = span()
    write(TRACES, made, made)
    write(TRACES, made)
    assert rows("SELECT count(*) FROM spans WHERE trace = ?", made.trace_id) == [3]


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(max_size=20), values, max_size=6))
def test_every_attribute_is_found_in_the_filter_of_its_block(
    write: Write, rows: Rows, attributes: dict[str, Any]
) -> None:
    made = span()
    made.attributes.extend(pairs(attributes))
    assert write(TRACES, made).accepted == 1
    bloom = rows("SELECT bloom FROM span_blocks ORDER BY block DESC LIMIT 1")[0]
    assert may_contain(bloom, [token_of(key, value) for key, value in attributes.items()])


def test_attributes_of_resources_and_events_are_in_the_filter_too(write: Write, rows: Rows) -> None:
    made = span()
    made.events.add(name="exception").attributes.extend(pairs({"exception.type": "ValueError"}))
    write(TRACES, made, service="bank")
    tokens = [
        token_of("service.name", "bank"),
        token_of("event", "exception"),
        token_of("exception.type", "ValueError"),
    ]
    assert may_contain(rows("SELECT bloom FROM span_blocks")[0], tokens)


def test_blocks_say_what_they_hold(write: Write, rows: Rows) -> None:
    number = BLOCK_SIZE + 100
    spans = [span(f"op{index % 3}", start=NOW + index, duration=index, error=index == 7) for index in range(number)]
    write(TRACES, *spans)
    assert rows("SELECT block, first, last, spans FROM span_blocks") == [
        (0, NOW, NOW + BLOCK_SIZE - 2, BLOCK_SIZE - 1),
        (1, NOW + BLOCK_SIZE - 1, NOW + number - 1, 101),
    ]
    totals = rows("SELECT block, sum(spans), sum(errors), max(longest) FROM span_block_operations GROUP BY block")
    assert totals == [(0, BLOCK_SIZE - 1, 1, BLOCK_SIZE - 2), (1, 101, 0, number - 1)]


def test_the_filter_of_a_new_block_has_the_resource_again(write: Write, rows: Rows) -> None:
    write(TRACES, *(span() for _ in range(BLOCK_SIZE + 1)), service="bank")
    assert all(may_contain(bloom, ["service.name=bank"]) for bloom in rows("SELECT bloom FROM span_blocks"))


def test_a_store_that_is_opened_again_goes_on_in_its_block(database: Path, write: Write, store: Store) -> None:
    write(TRACES, span("first", start=NOW, duration=9, colour="red"))
    store.close()
    again = Store(database)
    again.begin()
    batch = Batch(
        resource().SerializeToString(), b"", [span("first", start=NOW + 5, colour="blue").SerializeToString()]
    )
    again.write(TRACES, [batch])
    again.commit()
    rows = again.connection.execute("SELECT block, first, last, spans, bloom FROM span_blocks").fetchall()
    assert [row[:4] for row in rows] == [(0, NOW, NOW + 5, 2)]
    assert may_contain(rows[0][4], ["colour=red"])
    assert may_contain(rows[0][4], ["colour=blue"])
    assert again.connection.execute("SELECT spans, longest FROM span_block_operations").fetchall() == [(2, 1000)]
    assert [row[0] for row in again.connection.execute("SELECT id FROM spans ORDER BY id")] == [1, 2]
    again.close()


def test_calls_are_counted_by_minute_operation_and_duration(write: Write, rows: Rows) -> None:
    for error in (False, True):
        write(TRACES, span(start=NOW, duration=1000, error=error), span(start=NOW, duration=5_000_000))
    ((minute, calls, errors, buckets),) = rows("SELECT minute, calls, errors, buckets FROM minutes")
    assert (minute, calls, errors) == (NOW // 60_000_000, 4, 1)
    assert unpack(buckets) == {bucket_of(1000): 2, bucket_of(5_000_000): 2}


def test_the_service_map_gets_its_edges(write: Write, rows: Rows) -> None:
    trace, client = trace_id(), span_id()
    write(
        TRACES, span(trace=trace, own=client, kind=Span.SPAN_KIND_CLIENT, attributes={"server.address": "bank.local"})
    )
    write(TRACES, span(trace=trace, parent=client), service="bank")
    write(TRACES, span(kind=Span.SPAN_KIND_CLIENT, attributes={"db.system.name": "redis"}))
    found = rows("SELECT caller, callee, sum(calls) FROM calls GROUP BY caller, callee HAVING sum(calls) > 0")
    assert set(found) == {("shop", "bank", 1), ("shop", "database:redis", 1)}


@pytest.mark.parametrize("kind", [-1, 6, 2**31 - 1])
def test_a_kind_that_does_not_exist_counts_as_none(write: Write, rows: Rows, kind: int) -> None:
    write(TRACES, span(kind=kind))
    assert rows("SELECT kind FROM operations") == [0]


def test_a_service_without_a_name_is_unknown(write: Write, rows: Rows) -> None:
    write(TRACES, span(), service=None)
    assert rows("SELECT service FROM operations") == ["unknown_service"]
