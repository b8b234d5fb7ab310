"""Log records are written as they came, and found again by the words they hold."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from mita_otel.console.store.blocks import BLOCK_SIZE, may_contain, word_token, words_of
from mita_otel.console.store.writing import Signal
from tests.fixtures.otlp_requests import nested_attribute, nested_value, record, trace_id, with_attribute
from tests.unit.console.store.conftest import Write

Rows = Callable[..., list[Any]]
LOGS = Signal.LOGS
NOW = time.time_ns() // 1000


def test_a_record_is_a_row_and_a_body(write: Write, rows: Rows) -> None:
    made = record("paid", severity=17, at=NOW)
    made.trace_id = trace_id()
    assert write(LOGS, made).accepted == 1
    assert rows("SELECT time, severity, trace FROM records") == [(NOW, 17, made.trace_id)]
    assert rows("SELECT body FROM record_bodies JOIN records USING (id)") == [made.SerializeToString()]
    assert dict(rows("SELECT name, value FROM counters")) == {"records.received": 1}


@pytest.mark.parametrize("trace", [b"", bytes(16), b"short"])
def test_a_record_without_a_valid_trace_belongs_to_none(write: Write, rows: Rows, trace: bytes) -> None:
    made = record()
    made.trace_id = trace
    write(LOGS, made)
    assert rows("SELECT trace FROM records") == [None]


def test_a_record_without_time_has_that_of_its_observation(write: Write, rows: Rows) -> None:
    write(LOGS, LogRecord(observed_time_unix_nano=NOW * 1000))
    assert rows("SELECT time FROM records") == [NOW]


def test_a_record_without_any_time_has_that_of_its_arrival(write: Write, rows: Rows) -> None:
    write(LOGS, LogRecord())
    assert NOW <= rows("SELECT time FROM records")[0] <= time.time_ns() // 1000


@pytest.mark.parametrize(
    "body",
    ["Payment FAILED for order_77", {"event": "paid", "tags": ["big", "foreign"]}, ["one", "two"], 12345, b"\xab\xcd"],
)
def test_the_words_of_a_body_are_in_the_filter(write: Write, rows: Rows, body: Any) -> None:
    write(LOGS, record(body, colour="red"))
    text = {dict: "event paid tags big foreign", list: "one two", int: "12345", bytes: "abcd"}.get(type(body), body)
    tokens = [word_token(word) for word in words_of(text)]
    assert may_contain(rows("SELECT bloom FROM record_blocks")[0], [*tokens, "colour=red", "service.name=shop"])


def test_a_body_of_megabytes_may_contain_any_word(write: Write, rows: Rows) -> None:
    write(LOGS, record(" ".join(f"word{number}" for number in range(200_000))))
    assert may_contain(rows("SELECT bloom FROM record_blocks")[0], [word_token("word199999"), word_token("any")])


@pytest.mark.parametrize(
    ("number", "inner"),
    [(5, b"\x0a\xff"), (5, nested_value(500)), (6, b"\x0a\xff"), (6, nested_attribute(500)), (3, b"\xff")],
)
def test_a_malformed_record_is_refused_alone(write: Write, rows: Rows, number: int, inner: bytes) -> None:
    bad = with_attribute(LogRecord(observed_time_unix_nano=1).SerializeToString(), inner, number)
    outcome = write(LOGS, record(), bad, record())
    assert (outcome.accepted, outcome.refused) == (2, 1)
    assert rows("SELECT count(*) FROM records") == [2]


def test_blocks_say_what_they_hold(write: Write, rows: Rows) -> None:
    write(LOGS, *(record(severity=index % 10, at=NOW + index) for index in range(BLOCK_SIZE + 9)))
    assert rows("SELECT block, first, last, records, severest FROM record_blocks") == [
        (0, NOW, NOW + BLOCK_SIZE - 2, BLOCK_SIZE - 1, 9),
        (1, NOW + BLOCK_SIZE - 1, NOW + BLOCK_SIZE + 8, 10, 9),
    ]


@pytest.mark.parametrize(("sent", "kept"), [(-4, 0), (0, 0), (24, 24), (99, 24)])
def test_a_severity_stays_within_its_range(write: Write, rows: Rows, sent: int, kept: int) -> None:
    write(LOGS, record(severity=sent))
    assert rows("SELECT severity FROM records") == [kept]
