"""Requests written together are answered each for itself, and the console outlives what fails."""

import gzip
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mita_otel.console.receive.body import LIMIT
from mita_otel.console.receive.transaction import Asked, Transactions
from mita_otel.console.store.blocks import BLOCK_SIZE
from mita_otel.console.store.spans import SpanWriter
from mita_otel.console.store.writing import Signal, Store
from tests.fixtures.otlp_requests import enclosed, gauge, logs, metrics, record, span, traces, with_attribute


def asked(request: Any, signal: Signal = Signal.TRACES) -> Asked:
    return Asked(signal, request.SerializeToString())


def count(store: Store, table: str) -> int:
    (found,) = store.connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(found)


def test_all_signals_are_written_in_one_transaction(transactions: Transactions, store: Store) -> None:
    answers = transactions.serve(
        [asked(traces(span())), asked(logs(record()), Signal.LOGS), asked(metrics(gauge()), Signal.METRICS)]
    )
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [count(store, table) for table in ("spans", "records", "points")] == [1, 1, 1]


def test_each_request_gets_its_own_answer(transactions: Transactions, store: Store) -> None:
    answers = transactions.serve(
        [
            asked(traces(span())),
            Asked(Signal.TRACES, b"\xff"),
            asked(traces(span(), span(trace=bytes(16)))),
            Asked(Signal.TRACES, gzip.compress(bytes(LIMIT + 1)), is_gzip=True),
            Asked(Signal.TRACES, b"{", is_json=True),
            Asked(Signal.TRACES, gzip.compress(traces(span()).SerializeToString()), is_gzip=True),
        ]
    )
    assert [(answer.status, answer.rejected) for answer in answers] == [
        (200, 0), (400, 0), (200, 1), (413, 0), (400, 0), (200, 0),
    ]  # fmt: skip
    assert count(store, "spans") == 3
    counters = dict(store.connection.execute("SELECT * FROM counters"))
    assert counters == {"spans.received": 3, "spans.rejected": 1, "requests.malformed": 3}


def test_a_full_file_is_answered_with_come_again(
    transactions: Transactions, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    transactions.serve([asked(traces(*(span() for _ in range(BLOCK_SIZE))))] * 3)
    (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    large = asked(traces(*(span(text="x" * 3000) for _ in range(1000))))
    with caplog.at_level(logging.ERROR):
        answers = transactions.serve([large, asked(traces(span()))])
    assert [answer.status for answer in answers] == [503, 503]
    assert "full" in answers[0].message
    assert "nothing can be stored" in caplog.text
    # The oldest has made room, so that the client's next attempt succeeds.
    assert transactions.serve([asked(traces(span("later")))])[0].status == 200
    kept = store.connection.execute("SELECT count(*) FROM operations WHERE name = 'later'").fetchone()
    assert kept == (1,)
    assert count(store, "spans") >= BLOCK_SIZE


def test_complaints_about_the_disk_do_not_fill_the_log(
    transactions: Transactions, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.connection.execute("PRAGMA query_only = ON")
    with caplog.at_level(logging.ERROR):
        answers = [transactions.serve([asked(traces(span()))])[0] for _ in range(5)]
    assert {answer.status for answer in answers} == {503}
    assert len(caplog.records) == 1
    store.connection.execute("PRAGMA query_only = OFF")
    assert transactions.serve([asked(traces(span()))])[0].status == 200


def test_a_fault_of_ours_costs_one_request_and_not_its_neighbours(
    transactions: Transactions, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    whole = SpanWriter._add

    def fault(writer: SpanWriter, origin: Any, item: bytes, now: int) -> None:
        if b"poison" in item:
            raise KeyError("ours")
        whole(writer, origin, item, now)

    monkeypatch.setattr(SpanWriter, "_add", fault)
    answers = transactions.serve([asked(traces(span())), asked(traces(span("poison"), span())), asked(traces(span()))])
    assert [answer.status for answer in answers] == [200, 500, 200]
    assert count(store, "spans") == 2
    assert "KeyError" in caplog.text


def test_tidying_outlives_a_failing_disk(transactions: Transactions, store: Store) -> None:
    store.connection.execute("PRAGMA query_only = ON")
    assert transactions.tidy(0.01) is False
    store.connection.execute("PRAGMA query_only = OFF")
    assert transactions.serve([asked(traces(span()))])[0].status == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(Signal)), st.lists(st.binary(max_size=60), max_size=3), st.integers(1, 20))
def test_no_bytes_within_an_item_make_more_than_a_refusal(
    transactions: Transactions, signal: Signal, items: list[bytes], number: int
) -> None:
    body = enclosed(span().SerializeToString(), *items, *(with_attribute(b"", item, number) for item in items))
    assert transactions.serve([Asked(signal, body)])[0].status in {200, 400}
