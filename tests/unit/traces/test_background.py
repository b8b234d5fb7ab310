"""Work in the background stands in a trace of its own and points to what caused it."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import baggage, trace
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from mita_otel.libraries.database import Client, Endpoint
from mita_otel.traces import current_traceparent, linked_work, unobserved
from mita_otel.traces.background import MAX_LINKS
from mita_otel.traces.propagation import parse
from tests.unit.libraries.recording import Recording

CAUSE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


class Traced:
    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traced]:
    made = Traced()
    monkeypatch.setattr(trace, "get_tracer", made.provider.get_tracer)
    yield made
    made.provider.shutdown()


def linked_ids(span: ReadableSpan) -> list[str]:
    return [f"{link.context.trace_id:032x}" for link in span.links]


def test_a_span_is_told_as_its_traceparent(traced: Traced) -> None:
    with traced.provider.get_tracer("test").start_as_current_span("request") as span:
        told = current_traceparent()
    assert told is not None
    assert len(told) == 55
    parsed = parse(told)
    assert parsed is not None
    assert (parsed.trace_id, parsed.span_id, parsed.trace_flags.sampled) == (
        span.get_span_context().trace_id,
        span.get_span_context().span_id,
        True,
    )


def test_without_a_span_there_is_nothing_to_tell() -> None:
    assert current_traceparent() is None


def test_work_is_the_root_of_a_trace_of_its_own_and_links_to_its_causes(traced: Traced) -> None:
    with traced.provider.get_tracer("test").start_as_current_span("other request"), linked_work("work", CAUSE, OTHER):
        pass
    work, request = traced.spans
    assert (work.name, work.parent, work.kind) == ("work", None, SpanKind.CONSUMER)
    assert work.context is not None
    assert request.context is not None
    assert work.context.trace_id != request.context.trace_id
    assert linked_ids(work) == [CAUSE[3:35], OTHER[3:35]]


def test_what_is_done_inside_belongs_to_the_work(traced: Traced) -> None:
    with linked_work("work"):
        traced.provider.get_tracer("test").start_span("query").end()
    query, work = traced.spans
    assert query.parent is not None
    assert query.parent == work.context


def test_work_without_a_cause_is_internal(traced: Traced) -> None:
    with linked_work("work", None):
        pass
    assert (traced.spans[0].kind, traced.spans[0].links) == (SpanKind.INTERNAL, ())


def test_a_cause_is_linked_once_and_nonsense_is_left_out(traced: Traced) -> None:
    with linked_work("work", CAUSE, "", "nonsense", CAUSE, "ff" + CAUSE[2:], None):
        pass
    assert linked_ids(traced.spans[0]) == [CAUSE[3:35]]


def test_no_more_causes_are_linked_than_a_span_keeps(traced: Traced) -> None:
    with linked_work("work", *(f"00-{number:032x}-b7ad6b7169203331-01" for number in range(1, 300))):
        pass
    assert len(traced.spans[0].links) == MAX_LINKS


def test_baggage_of_the_surroundings_stays_outside(traced: Traced) -> None:
    token = otel_context.attach(baggage.set_baggage("user", "jane"))
    with linked_work("work"):
        assert baggage.get_all() == {}
    otel_context.detach(token)


def test_an_exception_makes_the_work_an_error_and_goes_on(traced: Traced) -> None:
    with pytest.raises(KeyError), linked_work("work", CAUSE):
        raise KeyError("x")
    assert traced.spans[0].status.status_code is StatusCode.ERROR


def test_afterwards_the_surroundings_are_current_again(traced: Traced) -> None:
    with traced.provider.get_tracer("test").start_as_current_span("request"):
        before = current_traceparent()
        with linked_work("work"):
            assert current_traceparent() != before
        assert current_traceparent() == before


def test_without_an_sdk_the_work_is_done_all_the_same() -> None:
    with linked_work("work", CAUSE):
        assert current_traceparent() is None


def test_looking_for_work_makes_no_spans() -> None:
    recording = Recording()
    client = Client("test", recording.telemetry)
    call = Endpoint("postgresql", "finance").statement("SELECT 1", batch=False)
    assert call is not None
    with unobserved():
        assert client.begin(call) is None
    observed = client.begin(call)
    assert observed is not None
    observed.end()  # else its span stays current for the tests that follow
    recording.shutdown()


@given(st.lists(st.none() | st.text(max_size=80)))
def test_no_stored_text_keeps_work_from_being_done(causes: list[str | None]) -> None:
    with linked_work("work", *causes):
        pass
