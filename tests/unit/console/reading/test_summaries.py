"""Traces in a line each."""

import pytest

from mita_otel.console.reading import summaries
from mita_otel.console.reading.summaries import Summary, summary_of
from tests.fixtures.console_file import AT, ConsoleFile, Sent, id_of, traces


def of(file: ConsoleFile, trace: int = 1) -> Summary:
    found = file.reader.run(lambda connection: summary_of(connection, id_of(trace, 16)))
    assert found is not None
    return found


def test_a_trace_that_is_not_there_has_none(file: ConsoleFile) -> None:
    assert file.reader.run(lambda connection: summary_of(connection, id_of(1, 16))) is None


def test_a_trace_is_named_by_its_root_and_lasts_from_its_first_start_to_its_last_end(file: ConsoleFile) -> None:
    file.send(
        traces("shop", Sent("GET /", id=1, start=100, duration=500), Sent("POST", id=2, parent=1, start=150, kind=3)),
        traces("bank", Sent("charge", id=3, parent=2, start=90, duration=20, failed=True)),
    )
    assert of(file) == Summary(
        id_of(1, 16), "shop", "GET /", AT + 90, 1060, spans=3, errors=1, services={"shop": 2, "bank": 1}
    )


def test_without_a_root_the_earliest_span_names_it(file: ConsoleFile) -> None:
    file.send(traces("a", Sent("late", id=2, parent=9, start=10), Sent("early", id=3, parent=9, start=5)))
    assert of(file).operation == "early"


def test_a_span_that_was_received_twice_counts_once_as_it_was_last(file: ConsoleFile) -> None:
    file.send(traces("a", Sent(duration=10, failed=True)), traces("a", Sent(duration=70)))
    assert (of(file).spans, of(file).errors, of(file).duration) == (1, 0, 70)


def test_ids_are_read_wherever_the_sender_put_them(file: ConsoleFile) -> None:
    file.send(traces("a", Sent()), traces("a", Sent()))
    (body,) = file.store.connection.execute("SELECT body FROM span_bodies LIMIT 1").fetchone()
    file.store.connection.execute("UPDATE span_bodies SET body = ? WHERE id = 1", (body[18:] + body[:18],))
    assert of(file).spans == 1


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "_LARGE", 2)


def test_a_large_trace_is_summed_up_the_same_way(file: ConsoleFile, small: None) -> None:
    file.send(
        traces("shop", Sent("GET /", id=1, start=100, duration=500), Sent("POST", id=2, parent=1, start=150, kind=3)),
        traces("bank", Sent("charge", id=3, parent=2, start=90, duration=20, failed=True)),
    )
    assert of(file) == Summary(
        id_of(1, 16), "shop", "GET /", AT + 90, 1060, spans=3, errors=1, services={"shop": 2, "bank": 1}
    )
