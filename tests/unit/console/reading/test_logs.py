"""Which log records a search finds."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mita_otel.console.reading.budget import Budget
from mita_otel.console.reading.conditions import Condition
from mita_otel.console.reading.logs import FoundRecords, LogQuery, find_records, words_sought
from mita_otel.console.reading.walk import HIGHEST_ID, Stretch
from mita_otel.console.store.blocks import BLOCK_SIZE, words_of
from tests.fixtures.console_file import AT, ConsoleFile, Line, id_of, logs, pairs

LONG = 3600.0


def found(
    file: ConsoleFile,
    query: LogQuery,
    *,
    limit: int = 100,
    before: int = HIGHEST_ID,
    after: int = -1,
    seconds: float = LONG,
) -> FoundRecords:
    return file.reader.run(
        lambda c: find_records(c, query, limit=limit, budget=Budget(seconds), before=before, after=after)
    )


def bodies(file: ConsoleFile, query: LogQuery, **more: Any) -> list[str]:
    return [record.record.body.string_value for record in found(file, query, **more).records]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (LogQuery(), ["Payment failed: no funds", "order 12 paid", "order 7 placed"]),
        (LogQuery(text="order"), ["order 12 paid", "order 7 placed"]),
        (LogQuery(text="PAID order"), ["order 12 paid"]),
        (LogQuery(text="funds"), ["Payment failed: no funds"]),
        (LogQuery(text="fund"), []),
        (LogQuery(text="fund*"), ["Payment failed: no funds"]),
        (LogQuery(text="pa*"), ["Payment failed: no funds", "order 12 paid"]),
        (LogQuery(text="pa* order"), ["order 12 paid"]),
        (LogQuery(text="order*failed"), []),
        (LogQuery(severity=17), ["Payment failed: no funds"]),
        (LogQuery(severity=9), ["Payment failed: no funds", "order 12 paid"]),
        (LogQuery(service="bank"), ["Payment failed: no funds"]),
        (LogQuery(service="bank", severity=9, text="order"), []),
        (LogQuery(trace=id_of(5, 16)), ["Payment failed: no funds", "order 12 paid"]),
        (LogQuery(trace=id_of(5, 16), service="shop"), ["order 12 paid"]),
        (LogQuery(trace=id_of(6, 16)), []),
        (LogQuery(span=id_of(8)), ["order 12 paid"]),
        (LogQuery(conditions=(Condition("user", "3"),)), ["order 12 paid"]),
        (LogQuery(conditions=(Condition("service.name", "bank"),)), ["Payment failed: no funds"]),
        (LogQuery(conditions=(Condition("user", "4"),)), []),
        (LogQuery(stretch=Stretch(AT + 1, AT + 1)), ["order 12 paid"]),
    ],
)
def test_a_record_must_be_all_that_is_asked(file: ConsoleFile, query: LogQuery, expected: list[str]) -> None:
    file.send(
        logs(
            "shop",
            Line("order 7 placed", severity=5),
            Line("order 12 paid", 1, trace=5, span=8, attributes={"user": 3}),
        ),
        logs("bank", Line("Payment failed: no funds", 2, severity=17, trace=5)),
    )
    assert bodies(file, query) == expected


def test_a_word_is_not_found_in_a_longer_one(file: ConsoleFile) -> None:
    file.send(logs("a", Line("no funds"), Line("a fund"), Line("refund")))
    assert bodies(file, LogQuery(text="fund")) == ["a fund"]


def test_attributes_of_the_scope_count_too(file: ConsoleFile) -> None:
    request = logs("a", Line("one"))
    request.resource_logs[0].scope_logs[0].scope.attributes.extend(pairs({"library": "x"}))
    file.send(request, logs("a", Line("two")))
    assert bodies(file, LogQuery(conditions=(Condition("library", "x"),))) == ["one"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("Straße frei", "STRASSE"),
        ("\u212aelvin", "kelvin"),
        ({"message": "deep words"}, "deep"),
        (["x1", 42], "42"),
        (b"\xca\xfe", "cafe"),
    ],
)
def test_words_are_those_of_the_body_as_text_whatever_their_case(file: ConsoleFile, body: Any, text: str) -> None:
    file.send(logs("a", Line(body)))
    assert found(file, LogQuery(text=text)).records


def test_what_is_known_of_the_sender_comes_along(file: ConsoleFile) -> None:
    file.send(logs("a", Line(), scope="lib"))
    answer = found(file, LogQuery())
    (record,) = answer.records
    assert answer.services[record.resource] == "a"
    assert answer.resources[record.resource] == {"service.name": "a"}
    assert answer.scopes[record.scope] == "lib"


def test_records_of_a_sender_without_a_name_are_found(file: ConsoleFile) -> None:
    request = logs("a", Line())
    request.resource_logs[0].resource.Clear()
    file.send(request)
    assert found(file, LogQuery(service="unknown_service")).records


def test_a_tail_sees_only_what_is_newer(file: ConsoleFile) -> None:
    file.send(logs("a", Line("one"), Line("two")))
    newest = found(file, LogQuery()).records[0].id
    assert bodies(file, LogQuery(), after=newest) == []
    file.send(logs("a", Line("three"), Line("four")))
    assert bodies(file, LogQuery(), after=newest) == ["four", "three"]


def test_a_tail_may_go_on_between_two_ids(file: ConsoleFile) -> None:
    file.send(logs("a", *(Line(str(number)) for number in range(10))))
    first = found(file, LogQuery(), after=3, limit=4)
    assert [record.id for record in first.records] == [10, 9, 8, 7]
    assert first.next is not None
    assert [record.id for record in found(file, LogQuery(), after=3, before=first.next).records] == [6, 5, 4]


@pytest.mark.parametrize("query", [LogQuery(), LogQuery(trace=id_of(5, 16))])
def test_a_search_without_time_goes_block_by_block_and_misses_nothing(file: ConsoleFile, query: LogQuery) -> None:
    total = BLOCK_SIZE + 10
    file.send(logs("a", *(Line(trace=5, time=number) for number in range(1, total + 1))))
    seen: list[int] = []
    before: int | None = HIGHEST_ID
    pages = 0
    while before is not None:
        page = found(file, query, limit=9999, seconds=0, before=before)
        seen += [record.id for record in page.records]
        before = page.next
        pages += 1
    assert seen == list(range(total, 0, -1))
    assert pages >= 2


def test_a_block_that_cannot_match_is_not_read(file: ConsoleFile) -> None:
    file.send(logs("a", Line("hello")))
    file.store.connection.execute("UPDATE record_bodies SET body = x'ff'")
    assert not found(file, LogQuery(text="goodbye")).records
    assert not found(file, LogQuery(severity=20)).records


def test_an_answer_is_not_larger_than_some_megabytes(file: ConsoleFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mita_otel.console.reading.logs._BYTES_LIMIT", 2500)
    file.send(logs("a", *(Line(f"{number} " + "x" * 1000) for number in range(1, 6))))
    first = found(file, LogQuery())
    assert [record.id for record in first.records] == [5, 4, 3]
    assert first.next is not None
    assert [record.id for record in found(file, LogQuery(), before=first.next).records] == [2, 1]


def test_a_text_without_words_asks_for_nothing() -> None:
    assert words_sought("!? a") == (set(), set())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=20), max_size=6), st.text(max_size=12))
def test_a_search_finds_what_looking_at_each_body_finds(file: ConsoleFile, texts: list[str], sought: str) -> None:
    for table in ("records", "record_bodies", "record_blocks"):
        file.store.connection.execute(f"DELETE FROM {table}")
    file.store.rollback()
    file.send(logs("a", *map(Line, texts)))
    words, beginnings = words_sought(sought)
    expected = [
        text
        for text in reversed(texts)
        if words <= words_of(text) and all(any(w.startswith(b) for w in words_of(text)) for b in beginnings)
    ]
    assert bodies(file, LogQuery(text=sought)) == expected
