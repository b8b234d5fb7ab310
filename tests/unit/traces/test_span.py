"""A span of ours is the SDK's span in what others see of it, and lets nothing through to the application."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_ON,
    AlwaysRecordSampler,
    Sampler,
    SamplingResult,
    StaticSampler,
)
from opentelemetry.trace import SpanKind, StatusCode

from mita_otel.traces.provider import Provider
from mita_otel.traces.sampling import bounds_of

LIMITS = SpanLimits(max_attribute_length=100)


class Kept(SpanProcessor):
    """Takes spans as they are."""

    takes_original_spans = True

    def __init__(self) -> None:
        self.spans: list[Any] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.spans.append(span)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def provider(kept: Kept) -> Iterator[Provider]:
    made = Provider(resource=Resource({"service.name": "s"}), span_limits=LIMITS)
    made.add_span_processor(kept)
    yield made
    made.shutdown()


def endless() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


class Silent:
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class MuteError(ValueError):
    """An exception without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_it_is_an_instance_of_what_libraries_look_for(provider: Provider) -> None:
    tracer = provider.get_tracer("t")
    span = tracer.start_span("s")
    assert isinstance(provider, sdk.TracerProvider)
    assert isinstance(tracer, sdk.Tracer)
    assert isinstance(span, sdk.Span)
    assert isinstance(span, ReadableSpan)


def test_a_tracer_is_the_same_each_time(provider: Provider) -> None:
    assert provider.get_tracer("t", "1") is provider.get_tracer("t", "1")
    assert provider.get_tracer("t", "1") is not provider.get_tracer("t", "2")


@pytest.mark.parametrize("value", [endless(), Silent(), {"deep": endless()}, [Silent()]], ids=range(4))
def test_a_value_that_cannot_be_read_costs_itself_only(provider: Provider, kept: Kept, value: Any) -> None:
    tracer = provider.get_tracer("t")
    span = tracer.start_span("s", attributes={"before": 1, "odd": value})
    span.set_attribute("again", value)
    span.set_attributes({"more": value, "after": 2})
    span.add_event("e", {"odd": value})
    span.add_link(trace.INVALID_SPAN_CONTEXT, {"odd": value})
    span.end()
    (ended,) = kept.spans
    assert dict(ended.attributes) == {"before": 1, "odd": None, "again": None, "more": None, "after": 2}
    assert ended.events[0].attributes["odd"] is None
    assert ended.links[0].attributes["odd"] is None


def test_of_ten_thousand_links_the_last_are_kept_and_the_others_counted(provider: Provider, kept: Kept) -> None:
    contexts = [trace.SpanContext(1, number, is_remote=True) for number in range(1, 10_001)]
    span = provider.get_tracer("t").start_span("s", links=[trace.Link(context) for context in contexts])
    span.add_link(contexts[0])
    span.end()
    (ended,) = kept.spans
    assert [link.context.span_id for link in ended.links] == [*range(9_874, 10_001), 1]
    assert ended.dropped_links == 9_873


def test_attributes_that_are_none_are_left_out(provider: Provider, kept: Kept) -> None:
    provider.get_tracer("t").start_span("s", attributes=["no", "mapping"]).end()  # type: ignore[arg-type] # a mistake
    assert dict(kept.spans[0].attributes) == {}


def test_an_exception_without_a_text_is_recorded_by_its_type(provider: Provider, kept: Kept) -> None:
    with pytest.raises(MuteError), provider.get_tracer("t").start_as_current_span("s"):
        raise MuteError
    (ended,) = kept.spans
    assert [event.attributes["exception.type"] for event in ended.events] == ["MuteError"]
    assert (ended.status.status_code, ended.status.description) == (StatusCode.ERROR, "MuteError")


def test_of_many_threads_that_end_a_span_one_does(provider: Provider, kept: Kept) -> None:
    tracer = provider.get_tracer("t")
    for _ in range(50):
        span = tracer.start_span("s")
        together = threading.Barrier(4)

        def end(span: trace.Span = span, together: threading.Barrier = together) -> None:
            together.wait()
            span.end()

        threads = [threading.Thread(target=end) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(kept.spans) == 50


def test_threads_that_fill_a_span_break_neither_it_nor_its_limit(kept: Kept) -> None:
    provider = Provider(resource=Resource({}), span_limits=SpanLimits(max_span_attributes=10, max_events=1000))
    provider.add_span_processor(kept)
    span = provider.get_tracer("t").start_span("s")

    def fill(thread: int) -> None:
        for number in range(200):
            span.set_attribute(f"{thread}.{number}", number)
            span.add_event("e")

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    span.end()
    assert len(span.attributes) <= 10 + len(threads)  # type: ignore[attr-defined] # it is readable
    assert len(span.events) == 800  # type: ignore[attr-defined]


def test_other_processors_get_a_copy_that_nobody_changes_any_more(provider: Provider) -> None:
    memory = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("t").start_as_current_span("s", attributes={"a": 1}) as span:
        span.add_event("e", {"b": 2})
    (copy,) = memory.get_finished_spans()
    assert type(copy) is ReadableSpan
    assert '"a": 1' in copy.to_json()
    with pytest.raises(TypeError):
        copy.attributes["a"] = 2  # type: ignore[index] # it is read-only


def test_no_copy_is_made_where_nobody_needs_one(provider: Provider, kept: Kept) -> None:
    span = provider.get_tracer("t").start_span("s")
    span.end()
    assert kept.spans == [span]
    assert provider.processors.copying() == []


class Broken(SpanProcessor):
    """A processor with faults."""

    def on_start(self, span: sdk.Span, parent_context: Context | None = None) -> None:
        raise RuntimeError("start")

    def _on_ending(self, span: sdk.Span) -> None:
        raise RuntimeError("ending")

    def on_end(self, span: ReadableSpan) -> None:
        raise RuntimeError("end")


def test_a_processor_that_raises_costs_neither_the_application_nor_its_neighbours(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.add_span_processor(Broken())
    late = Kept()
    provider.add_span_processor(late)
    with caplog.at_level(logging.ERROR):
        provider.get_tracer("t").start_span("s").end()
    assert [span.name for span in late.spans] == ["s"]
    assert caplog.text.count("a span processor failed") == 3
    assert provider.processors.copying() == ["Broken"]


def test_a_processor_may_be_taken_out_again(provider: Provider) -> None:
    memory = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    provider._active_span_processor._span_processors = ()  # as libraries do that want to be alone
    provider.get_tracer("t").start_span("s").end()
    assert memory.get_finished_spans() == ()


class Raising(Sampler):
    """A sampler with a fault."""

    def should_sample(self, *_arguments: Any, **_named: Any) -> SamplingResult:
        raise RuntimeError("no decision")

    def get_description(self) -> str:
        return "Raising"


def test_a_sampler_that_raises_drops_the_span_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    tracer = Provider(sampler=Raising(), resource=Resource({})).get_tracer("t")
    span = tracer.start_span("s")
    assert not span.is_recording()
    assert span.get_span_context().is_valid
    assert "the sampler failed" in caplog.text


def test_a_sampler_may_be_exchanged(provider: Provider) -> None:
    tracer: Any = provider.get_tracer("t")
    tracer.sampler = ALWAYS_OFF
    assert not tracer.start_span("s").is_recording()
    tracer.sampler = AlwaysRecordSampler(ALWAYS_OFF)
    assert tracer.start_span("s").is_recording()


def test_a_sampler_that_inherits_from_the_sdks_is_asked() -> None:
    class Never(StaticSampler):
        def should_sample(self, *arguments: Any, **named: Any) -> SamplingResult:
            return ALWAYS_OFF.should_sample(*arguments, **named)

    sampler = Never(DEFAULT_ON.should_sample(None, 1, "s").decision)
    assert bounds_of(sampler) is None
    assert bounds_of(ALWAYS_ON) is not None
    assert not Provider(sampler=sampler, resource=Resource({})).get_tracer("t").start_span("s").is_recording()


def test_spans_that_are_not_sampled_have_ids_of_their_own() -> None:
    tracer = Provider(sampler=ALWAYS_OFF, resource=Resource({})).get_tracer("t")
    with tracer.start_as_current_span("parent") as parent, tracer.start_as_current_span("child") as child:
        mine, theirs = child.get_span_context(), parent.get_span_context()
    assert mine.trace_id == theirs.trace_id
    assert mine.span_id != theirs.span_id


def test_a_tracer_that_is_switched_off_makes_no_spans(provider: Provider) -> None:
    tracer = provider.get_tracer("t")
    provider._set_tracer_configurator(tracer_configurator=sdk._disable_tracer_configurator)
    with tracer.start_as_current_span("s") as span:
        assert not span.is_recording()
    assert provider.counts.total() == 0


@pytest.mark.parametrize("make", [lambda tracer, f: tracer.start_as_current_span("s")(f)], ids=["decorator"])
def test_a_decorated_function_has_a_span_at_each_call(
    provider: Provider, kept: Kept, make: Callable[[Any, Any], Callable[[], str]]
) -> None:
    traced = make(provider.get_tracer("t"), lambda: trace.get_current_span().get_span_context().span_id)
    assert [traced(), traced()] == [span.context.span_id for span in kept.spans]


async def test_a_decorated_coroutine_has_a_span_until_it_is_done(provider: Provider, kept: Kept) -> None:
    @provider.get_tracer("t").start_as_current_span("s")
    async def work() -> bool:
        return trace.get_current_span().is_recording()

    assert await work()
    assert len(kept.spans) == 1


def test_the_context_of_before_is_restored(provider: Provider) -> None:
    before = get_current()
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("outer") as outer:
        with tracer.start_as_current_span("inner", end_on_exit=False) as inner:
            assert trace.get_current_span() is inner
        assert trace.get_current_span() is outer
        assert inner.is_recording()
    assert get_current() == before


def test_what_ends_is_counted(provider: Provider) -> None:
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("root", kind=SpanKind.SERVER):
        tracer.start_span("never ended")
    assert sorted(provider.counts.started()) == [("local", "RECORD_AND_SAMPLE", 1), ("none", "RECORD_AND_SAMPLE", 1)]
    assert list(provider.counts.live()) == [("RECORD_AND_SAMPLE", 1)]
