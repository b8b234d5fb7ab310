"""One trace: each span once, and what is odd about it."""

import time

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mita_otel.console.reading import trace
from mita_otel.console.reading.decoding import NESTED_TOO_DEEP
from mita_otel.console.reading.trace import Trace, exemplars_of, trace_of
from tests.fixtures.console_file import AT, ConsoleFile, Sent, id_of, traces


def of(file: ConsoleFile, *, limit: int = 1000) -> Trace:
    found = file.reader.run(lambda connection: trace_of(connection, id_of(1, 16), limit=limit))
    assert found is not None
    return found


def warnings(file: ConsoleFile) -> dict[str, list[str]]:
    return {span.span.name: span.warnings for span in of(file).spans if span.warnings}


def test_a_trace_that_is_not_there_is_none(file: ConsoleFile) -> None:
    assert file.reader.run(lambda connection: trace_of(connection, id_of(1, 16))) is None


def test_spans_come_by_their_start_with_what_sent_them(file: ConsoleFile) -> None:
    file.send(traces("a", Sent("second", id=2, parent=1, start=5)), traces("b", Sent("first", duration=100)))
    found = of(file)
    assert [(span.span.name, span.service, span.start, span.end) for span in found.spans] == [
        ("first", "b", AT, AT + 100),
        ("second", "a", AT + 5, AT + 1005),
    ]
    assert {found.resources[span.resource].attributes[0].value.string_value for span in found.spans} == {"a", "b"}
    assert {found.scopes[span.scope].name for span in found.spans} == {"tests"}


def test_a_usual_trace_has_nothing_odd(file: ConsoleFile) -> None:
    file.send(traces("a", Sent(), Sent(id=2, parent=1, start=10)))
    assert of(file).warnings == []
    assert warnings(file) == {}
    assert (of(file).duplicates, of(file).missing_parents) == (0, [])


def test_a_span_that_was_received_again_is_shown_once_as_it_was_last_and_counted(file: ConsoleFile) -> None:
    file.send(
        traces("a", Sent("old"), Sent("child", id=2, parent=1)), traces("a", Sent("new")), traces("a", Sent("new"))
    )
    assert {span.span.name for span in of(file).spans} == {"new", "child"}
    assert of(file).duplicates == 2
    assert warnings(file) == {"new": ["received 3 times; the last received is shown"]}


def test_both_sides_of_a_call_may_share_an_id(file: ConsoleFile) -> None:
    file.send(
        traces("a", Sent("call", id=5, kind=3)),
        traces("b", Sent("serve", id=5, kind=2), Sent("inner", id=6, parent=5, kind=1)),
    )
    found = of(file)
    by_name = {span.span.name: span for span in found.spans}
    assert found.duplicates == 0
    assert by_name["call"].id == id_of(5)
    assert by_name["serve"].parent == id_of(5)
    assert by_name["inner"].parent == by_name["serve"].id != id_of(5)
    assert "share the span id" in by_name["serve"].warnings[0]


def test_parents_that_were_not_received_are_named(file: ConsoleFile) -> None:
    file.send(traces("a", Sent("x", id=2, parent=77), Sent("y", id=3, parent=77), Sent("z", id=4, parent=3)))
    assert of(file).missing_parents == [id_of(77)]
    assert warnings(file) == {name: ["its parent 000000000000004d has not been received"] for name in ("x", "y")}


def test_a_span_that_ended_before_it_began_has_no_duration_and_says_so(file: ConsoleFile) -> None:
    file.send(traces("a", Sent("x", duration=-1500)))
    assert of(file).spans[0].duration == 0
    assert warnings(file) == {"x": ["ended 1.500 ms before it began; shown without duration"]}


def test_a_span_from_the_future_says_so(file: ConsoleFile) -> None:
    ahead = time.time_ns() // 1000 - AT + 7200 * 10**6
    file.send(traces("a", Sent("x", start=ahead)))
    (said,) = warnings(file)["x"]
    assert said.startswith("begins 7,")
    assert said.endswith(" s after it was received: the sender's clock is ahead")


def test_a_span_without_a_time_says_so(file: ConsoleFile) -> None:
    file.send(traces("a", Sent("x", start=-AT)))
    assert warnings(file) == {"x": ["begins at 1970-01-01: the sender's clock is not set"]}


def test_a_span_at_the_end_of_time_is_shown(file: ConsoleFile) -> None:
    request = traces("a", Sent("x"))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.start_time_unix_nano = span.end_time_unix_nano = 2**64 - 1
    file.send(request)
    assert of(file).spans[0].start == (2**64 - 1) // 1000


def test_a_span_that_begins_before_its_parent_says_so(file: ConsoleFile) -> None:
    file.send(traces("a", Sent("parent"), Sent("x", id=2, parent=1, start=-2500)))
    assert warnings(file) == {"x": ["begins 2.5 ms before its parent: their clocks may differ"]}


def test_spans_that_are_one_anothers_ancestors_say_so(file: ConsoleFile) -> None:
    file.send(
        traces(
            "a",
            Sent("x", id=1, parent=2),
            Sent("y", id=2, parent=1),
            Sent("z", id=3, parent=1),
            Sent("me", id=4, parent=4),
        )
    )
    circle = ["is its own ancestor: its parents form a circle"]
    assert warnings(file) == {"x": circle, "y": circle, "me": circle}


def test_what_the_sender_dropped_is_told(file: ConsoleFile) -> None:
    request = traces("a", Sent("x"))
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.dropped_attributes_count, span.dropped_links_count = 3, 1
    file.send(request)
    assert warnings(file) == {
        "x": ["3 of its attributes were dropped by the sender", "1 of its links were dropped by the sender"]
    }


def test_of_a_long_trace_the_first_spans_are_shown_and_all_are_counted(file: ConsoleFile) -> None:
    file.send(
        traces("a", *(Sent(str(number), id=number, parent=number - 1, start=number) for number in range(9, 0, -1)))
    )
    found = of(file, limit=3)
    assert [span.span.name for span in found.spans] == ["1", "2", "3"]
    assert found.warnings == ["this trace has 9 spans; only the first 3 are shown"]
    assert found.missing_parents == []


def test_of_a_trace_with_huge_spans_the_first_are_shown(file: ConsoleFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace, "_BYTES_LIMIT", 2500)
    huge = {"text": "x" * 1000}
    file.send(traces("a", *(Sent(str(number), id=number, start=number, attributes=huge) for number in range(1, 6))))
    found = of(file)
    assert [span.span.name for span in found.spans] == ["1", "2", "3"]
    assert found.warnings == ["this trace has 5 spans; only the first 3 are shown"]


def test_a_span_that_is_nested_too_deep_for_the_parser_is_shown_without_what_is(file: ConsoleFile) -> None:
    def length_of(content: bytes) -> bytes:
        size, encoded = len(content), b""
        while size > 127:
            encoded += bytes([size & 127 | 128])
            size >>= 7
        return encoded + bytes([size])

    value = b"\x0a\x01x"
    for _ in range(49):
        array = b"\x0a" + length_of(value) + value
        value = b"\x2a" + length_of(array) + array
    pair = b"\x0a\x01k\x12" + length_of(value) + value
    event = b"\x1a" + length_of(pair) + pair
    file.send(traces("a", Sent("x")))
    (body,) = file.store.connection.execute("SELECT body FROM span_bodies").fetchone()
    file.store.connection.execute("UPDATE span_bodies SET body = ?", (body + b"\x5a" + length_of(event) + event,))
    assert Span.Event.FromString(event)
    assert warnings(file) == {"x": [NESTED_TOO_DEEP]}


def test_a_trace_without_measurements_has_no_exemplars(file: ConsoleFile) -> None:
    file.send(traces("a", Sent()))
    assert file.reader.run(lambda connection: exemplars_of(connection, id_of(1, 16))) == []
