"""Which traces a search finds, and how it goes on."""

from collections.abc import Iterable
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from mita_otel.console.reading.budget import Budget
from mita_otel.console.reading.conditions import Condition
from mita_otel.console.reading.traces import Found, TraceQuery, find_traces
from mita_otel.console.reading.walk import HIGHEST_ID, Stretch
from mita_otel.console.store.blocks import BLOCK_SIZE
from tests.fixtures.console_file import AT, ConsoleFile, Sent, id_of, pairs, traces

LONG = 3600.0


ANY = TraceQuery()


def found(
    file: ConsoleFile, query: TraceQuery = ANY, *, limit: int = 100, seconds: float = LONG, before: int = HIGHEST_ID
) -> Found:
    return file.reader.run(lambda c: find_traces(c, query, limit=limit, budget=Budget(seconds), before=before))


def numbers(ids: Iterable[bytes]) -> list[int]:
    return [int.from_bytes(id_) for id_ in ids]


def where(**attributes: str) -> TraceQuery:
    conditions = (Condition(key.replace("__", "."), text) for key, text in attributes.items())
    return TraceQuery(conditions=tuple(conditions))


def test_nothing_is_found_where_nothing_is(file: ConsoleFile) -> None:
    assert found(file) == Found({}, None, None)


def test_traces_come_with_those_received_last_first(file: ConsoleFile) -> None:
    file.send(traces("a", Sent(trace=1), Sent(trace=2), Sent(trace=3)))
    assert numbers(found(file).traces) == [3, 2, 1]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (TraceQuery(service="shop"), [2, 1]),
        (TraceQuery(service="bank"), [2]),
        (TraceQuery(service="nobody"), []),
        (TraceQuery(service="shop", operation="GET /cart"), [1]),
        (TraceQuery(service="bank", operation="GET /cart"), []),
        (TraceQuery(operation="charge"), [2]),
        (TraceQuery(shortest=5000), [2]),
        (TraceQuery(longest=999), []),
        (TraceQuery(shortest=1000, longest=1000), [1]),
        (TraceQuery(failed=True), [2]),
        (TraceQuery(service="shop", failed=True), []),
        (TraceQuery(stretch=Stretch(start=AT + 10)), [2]),
        (TraceQuery(stretch=Stretch(end=AT + 9)), [1]),
        (TraceQuery(stretch=Stretch(AT, AT)), [1]),
    ],
)
def test_one_span_must_be_all_that_is_asked(file: ConsoleFile, query: TraceQuery, expected: list[int]) -> None:
    file.send(
        traces("shop", Sent("GET /cart", trace=1), Sent("GET /pay", trace=2, start=10, duration=5000)),
        traces("bank", Sent("charge", trace=2, id=2, parent=1, start=10, duration=4000, failed=True)),
    )
    assert numbers(found(file, query).traces) == expected


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        (where(http__route="/cart"), True),
        (where(http__route="/carts"), False),
        (where(http__route="/cart", size="3"), True),
        (where(http__route="/cart", size="4"), False),
        (where(paid="true"), True),
        (where(share="0.5"), True),
        (where(raw="00ff"), True),
        (where(tags='["a","b"]'), True),
        (where(nothing=""), True),
        (where(exception__type="ValueError"), True),
        (where(event="exception"), True),
        (where(event="another"), False),
        (where(host__name="h1"), True),
        (where(service__name="shop"), True),
        (where(library="x"), True),
        (where(otel__scope__name="lib"), True),
        (where(otel__scope__name="other"), False),
        (where(span__kind="server"), True),
        (where(span__kind="client"), False),
        (where(error="true"), True),
        (where(error="false"), False),
        (where(otel__status_code="ERROR"), True),
        (where(otel__status_code="OK"), False),
        (where(otel__status_description="it broke"), True),
        (where(otel__status_description="it did"), False),
    ],
)
def test_attributes_are_those_of_the_span_its_events_its_resource_its_scope_and_what_jaeger_shows(
    file: ConsoleFile,
    query: TraceQuery,
    is_found: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    attributes = {
        "http.route": "/cart",
        "size": 3,
        "paid": True,
        "share": 0.5,
        "raw": b"\x00\xff",
        "tags": ["a", "b"],
        "nothing": None,
    }
    events = {"exception": {"exception.type": "ValueError"}}
    request = traces("shop", Sent(attributes=attributes, events=events, failed=True, message="it broke"), scope="lib")
    request.resource_spans[0].resource.attributes.extend(pairs({"host.name": "h1"}))
    request.resource_spans[0].scope_spans[0].scope.attributes.extend(pairs({"library": "x"}))
    file.send(request)
    assert bool(found(file, query).traces) == is_found


def test_a_fine_span_is_found_by_its_status(file: ConsoleFile) -> None:
    request = traces("a", Sent())
    request.resource_spans[0].scope_spans[0].spans[0].status.code = 1
    file.send(request)
    assert found(file, where(otel__status_code="OK")).traces
    assert found(file, where(error="false")).traces


def test_an_attribute_is_found_in_whatever_order_its_fields_were_sent(file: ConsoleFile) -> None:
    request = traces("a", Sent(attributes={"k": "REPLACED"}))
    usual = KeyValue(key="k", value=pairs({"k": "REPLACED"})[0].value).SerializeToString()
    key, value = usual[:3], usual[3:]
    body = request.SerializeToString().replace(usual, value + key)
    assert body != request.SerializeToString()
    request.ParseFromString(body)
    file.send(request)
    assert found(file, where(k="REPLACED")).traces


def test_spans_beyond_the_operations_that_are_counted_are_found_by_their_names(file: ConsoleFile) -> None:
    file.store.connection.executemany(
        "INSERT INTO operations(service, name, kind) VALUES ('x', ?, 0)", [(str(number),) for number in range(10_000)]
    )
    file.store.rollback()
    file.send(traces("late", Sent("GET /late", trace=7), Sent("GET /other", trace=8)))
    assert numbers(found(file, TraceQuery(service="late", operation="GET /late")).traces) == [7]
    assert numbers(found(file, TraceQuery(service="late")).traces) == [8, 7]
    assert not found(file, TraceQuery(service="x", operation="GET /late")).traces


def test_a_search_stops_at_the_limit_and_goes_on_from_there(file: ConsoleFile) -> None:
    file.send(traces("a", *(Sent(trace=number) for number in range(1, 6))))
    first = found(file, limit=2)
    assert numbers(first.traces) == [5, 4]
    assert first.next is not None
    rest = found(file, before=first.next)
    assert numbers(rest.traces) == [3, 2, 1]
    assert rest.next is None


def test_a_search_without_time_goes_block_by_block_and_misses_nothing(file: ConsoleFile) -> None:
    total = 2 * BLOCK_SIZE + 100
    file.send(traces("a", *(Sent(trace=number, start=number) for number in range(1, total + 1))))
    pages = []
    before: int | None = HIGHEST_ID
    while before is not None:
        pages.append(found(file, limit=9999, seconds=0, before=before))
        before = pages[-1].next
    assert [number for page in pages for number in numbers(page.traces)] == list(range(total, 0, -1))
    reached = [page.searched_to for page in pages]
    assert reached[:3] == [AT + 2 * BLOCK_SIZE, AT + BLOCK_SIZE, AT + 1]


def test_a_block_that_cannot_match_is_not_read(file: ConsoleFile) -> None:
    file.send(traces("a", Sent(attributes={"k": "v"})))
    file.store.connection.execute("DELETE FROM span_bodies")
    assert not found(file, where(k="w")).traces


_numbers = count(1)
SPANS = st.lists(
    st.builds(
        Sent,
        name=st.sampled_from(["x", "y"]),
        trace=st.integers(1, 4),
        start=st.integers(0, 20),
        duration=st.integers(0, 20),
        kind=st.integers(0, 5),
        attributes=st.dictionaries(st.sampled_from("ab"), st.sampled_from([1, 2, "1", True]), max_size=2),
        failed=st.booleans(),
        id=st.builds(lambda: next(_numbers)),
    ),
    max_size=12,
)
QUERIES = st.builds(
    TraceQuery,
    service=st.sampled_from(["", "p", "q"]),
    operation=st.sampled_from(["", "x"]),
    conditions=st.lists(
        st.builds(Condition, st.sampled_from("ab"), st.sampled_from(["1", "2", "true"])), max_size=2
    ).map(tuple),
    shortest=st.integers(0, 10),
    longest=st.none() | st.integers(5, 20),
    failed=st.booleans(),
    stretch=st.builds(Stretch, st.none() | st.integers(AT, AT + 10), st.none() | st.integers(AT + 5, AT + 20)),
)


def matches(service: str, span: Sent, query: TraceQuery) -> bool:
    start, end = query.stretch.start, query.stretch.end
    return (
        query.service in {"", service}
        and query.operation in {"", span.name}
        and all(condition.is_met_by(pairs(span.attributes)) for condition in query.conditions)
        and span.duration >= query.shortest
        and (query.longest is None or span.duration <= query.longest)
        and (span.failed or not query.failed)
        and (start is None or AT + span.start >= start)
        and (end is None or AT + span.start <= end)
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SPANS, SPANS, st.lists(QUERIES, min_size=1, max_size=8))
def test_a_search_finds_what_looking_at_each_span_finds(
    file: ConsoleFile, ours: list[Sent], theirs: list[Sent], queries: list[TraceQuery]
) -> None:
    for table in ("spans", "span_bodies", "span_blocks", "span_block_operations"):
        file.store.connection.execute(f"DELETE FROM {table}")
    file.store.rollback()
    file.send(traces("p", *ours), traces("q", *theirs))
    for query in queries:
        expected = {span.trace for span in ours if matches("p", span, query)}
        expected |= {span.trace for span in theirs if matches("q", span, query)}
        assert set(numbers(found(file, query).traces)) == expected


def test_ids_of_traces_are_kept_whole(file: ConsoleFile) -> None:
    file.send(traces("a", Sent(trace=2**127 + 5)))
    assert list(found(file).traces) == [id_of(2**127 + 5, 16)]
