"""Random programs run on the SDK's spans and on ours make the same telemetry, bit by bit."""

import copy
import itertools
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common._internal import _encode_key_value
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_OFF,
    ALWAYS_ON,
    DEFAULT_OFF,
    DEFAULT_ON,
    AlwaysRecordSampler,
    Decision,
    ParentBased,
    ParentBasedTraceIdRatio,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from mita_otel.export import MaskingEncoder
from mita_otel.traces.provider import Provider
from mita_otel.traces.redaction import redact_span

RESOURCE = Resource({"service.name": "differential"}, "https://example.org/schema")


class Told(SpanProcessor):
    """Notes what a processor that is not ours is told."""

    def __init__(self) -> None:
        self.notes: list[Any] = []
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        self.notes.append(("start", span.name, span.kind, dict(span.attributes), parent_context is None))

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)
        self.notes.append(("end", span.to_json() if _has_text(span) else span.name, span.dropped_attributes))


def _has_text(span: ReadableSpan) -> bool:
    try:
        span.to_json()
    except Exception:  # noqa: BLE001 - values that JSON has no form for: bytes, for the SDK too
        return False
    return True


class Ours(SpanProcessor):
    """Takes ended spans as the outbox does."""

    takes_original_spans = True

    def __init__(self) -> None:
        self.ended: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)


class Numbers(IdGenerator):
    """A generator of a user's own."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def generate_span_id(self) -> int:
        return next(self._numbers)

    def generate_trace_id(self) -> int:
        return next(self._numbers) << 64 | 7


class Marking(Sampler):
    """A sampler of a user's own: by the name, with attributes and a state."""

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Any = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        decision = (Decision.RECORD_AND_SAMPLE, Decision.RECORD_ONLY, Decision.DROP)[len(name) % 3]
        state = TraceState([("vendor", "x")])
        return SamplingResult(decision, {**(attributes or {}), "sampler.asked": len(links or ())}, state)

    def get_description(self) -> str:
        return "Marking"


SAMPLERS = [
    DEFAULT_ON, DEFAULT_OFF, ALWAYS_ON, ALWAYS_OFF, TraceIdRatioBased(0.5), ParentBasedTraceIdRatio(0.5),
    ParentBased(TraceIdRatioBased(0.3), remote_parent_sampled=ALWAYS_OFF, local_parent_not_sampled=ALWAYS_ON),
    AlwaysRecordSampler(ALWAYS_OFF), ParentBased(AlwaysRecordSampler(DEFAULT_OFF)), Marking(),
]  # fmt: skip


# --- programs -------------------------------------------------------------------------------------------------------

KEYS = st.sampled_from(
    [
        "a",
        "b",
        "db.query.text",
        "db.system.name",
        "http.route",
        "url.full",
        "password",
        "card 4111111111111111",
        "",
        "k" * 30,
    ]
)
TEXTS = st.sampled_from(
    ["", "GET", "postgresql", "redis", "SELECT * FROM t WHERE id = 7", "https://u:p@h/?token=1",
     "Bearer abcdefgh12345678", "4111 1111 1111 1111", "\ud800", "ß" * 40, "x" * 9_000]
) | st.text(max_size=30)  # fmt: skip
PLAIN = (
    st.none() | st.booleans() | TEXTS | st.floats(allow_nan=False) | st.binary(max_size=5)
    | st.integers() | st.sampled_from([1 << 63, 4111111111111111, 0, 1])
)  # fmt: skip
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3),
    max_leaves=5,
) | st.builds(complex, st.just(1), st.just(2))  # fmt: skip
ATTRIBUTES = st.none() | st.dictionaries(KEYS | st.integers(0, 3), VALUES, max_size=6)
NAMES = st.sampled_from(["GET /", "SELECT app", "token=abcdefgh", "", "n" * 9000]) | st.text(max_size=10)
TIMES = st.none() | st.integers(0, (1 << 63) - 1)
CONTEXTS = st.builds(
    SpanContext,
    st.integers(0, 3),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([TraceFlags(n) for n in range(4)]),
    st.sampled_from([TraceState(), TraceState([("k", "v"), ("l", "w")])]),
)
LINKS = st.tuples(CONTEXTS, ATTRIBUTES)
STATUSES = st.sampled_from(StatusCode)
# A description that is no text costs the SDK's encoder the batch; `test_span_delivery` has what it costs ours.
DESCRIPTIONS = TEXTS.filter(lambda text: "\ud800" not in text)
ERRORS = st.sampled_from([ValueError("bad token=abcdefgh"), KeyError("k"), KeyboardInterrupt("now")])
WHICH = st.integers(0, 5)


@dataclass
class Call:
    """One step of a program: a method of a span, or a new span, alone or around a block."""

    method: str
    which: int = 0
    arguments: tuple[Any, ...] = ()
    parent: Any = "current"
    options: dict[str, Any] = field(default_factory=dict)
    block: "list[Call]" = field(default_factory=list)
    error: BaseException | None = None


OPTIONS = st.fixed_dictionaries(
    {"attributes": ATTRIBUTES, "kind": st.sampled_from(SpanKind), "start_time": TIMES},
    optional={
        "links": st.lists(LINKS, max_size=3) | st.just([(SpanContext(1, 1, is_remote=True), None)] * 300),
        "record_exception": st.booleans(),
        "set_status_on_exception": st.booleans(),
    },
)
PARENTS = st.sampled_from(["current", "current", "none", 0, 1]) | CONTEXTS
STARTS = st.builds(Call, st.just("start"), arguments=st.tuples(NAMES), parent=PARENTS, options=OPTIONS)
METHODS = st.one_of(
    st.builds(Call, st.just("set_attribute"), WHICH, st.tuples(KEYS | st.integers(), VALUES)),
    st.builds(Call, st.just("set_attributes"), WHICH, st.tuples(st.dictionaries(KEYS, VALUES, max_size=5))),
    st.builds(Call, st.just("add_event"), WHICH, st.tuples(NAMES, ATTRIBUTES, TIMES)),
    st.builds(Call, st.just("add_link"), WHICH, LINKS),
    st.builds(Call, st.just("record_exception"), WHICH, st.tuples(ERRORS, ATTRIBUTES, TIMES)),
    st.builds(Call, st.just("set_status"), WHICH, st.tuples(STATUSES, st.none() | DESCRIPTIONS)),
    st.builds(Call, st.just("set_status"), WHICH, st.tuples(st.builds(Status, STATUSES, st.none() | DESCRIPTIONS))),
    st.builds(Call, st.just("update_name"), WHICH, st.tuples(NAMES)),
    st.builds(Call, st.just("end"), WHICH, st.tuples(TIMES)),
    st.builds(Call, st.just("end"), WHICH),
    st.builds(Call, st.just("leave"), WHICH, st.tuples(ERRORS)),
)
STEPS: Any = st.deferred(
    lambda: (
        STARTS
        | METHODS
        | st.builds(
            Call,
            st.just("block"),
            arguments=st.tuples(NAMES),
            parent=PARENTS,
            options=OPTIONS,
            block=st.lists(STEPS, max_size=4),
            error=st.none() | ERRORS,
        )
    )
)
PROGRAMS = st.builds(lambda first, rest: [first, *rest], STARTS, st.lists(STEPS, max_size=12))


class Machine:
    """Runs a program; every span of it is kept, ended or not."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer
        self.spans: list[trace.Span] = []

    def run(self, program: list[Call]) -> None:
        for call in program:
            if call.method in {"start", "block"}:
                getattr(self, call.method)(call)
            elif self.spans:
                span = self.spans[call.which % len(self.spans)]
                if call.method == "leave":
                    (error,) = call.arguments
                    span.__exit__(type(error), error, None)
                else:
                    getattr(span, call.method)(*call.arguments)

    def start(self, call: Call) -> None:
        self.spans.append(self._tracer.start_span(*call.arguments, **self._options(call)))

    def block(self, call: Call) -> None:
        try:
            with self._tracer.start_as_current_span(*call.arguments, **self._options(call)) as span:
                self.spans.append(span)
                self.run(call.block)
                if call.error is not None:
                    raise call.error.with_traceback(None)  # noqa: TRY301 - what the block is left by
        except BaseException as error:
            if error is not call.error:
                raise

    def _options(self, call: Call) -> dict[str, Any]:
        options = dict(call.options)
        if "links" in options:
            options["links"] = [Link(context, attributes) for context, attributes in options["links"]]
        if (context := self._context(call.parent)) is not None:
            options["context"] = context
        return options

    def _context(self, parent: Any) -> Context | None:
        if parent == "current":
            return None
        if parent == "none":
            return Context()
        if isinstance(parent, SpanContext):
            return trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())
        return trace.set_span_in_context(self.spans[parent % len(self.spans)], Context()) if self.spans else None


# --- what comes of them ---------------------------------------------------------------------------------------------


@dataclass
class Outcome:
    """What can be seen of a run."""

    exported: list[Any]
    contexts: list[SpanContext]
    recording: list[bool]
    told: list[Any]


def execute(program: list[Call], provider: TracerProvider, taken: Any, encode: Callable[[Any], Any]) -> Outcome:
    random.seed(7)
    told = Told()
    provider.add_span_processor(taken)
    provider.add_span_processor(told)
    machine = Machine(provider.get_tracer("lib", "1.0", "https://example.org/scope", {"a": 1}))
    machine.run(copy.deepcopy(program))
    return Outcome(
        [_without_places(encode(span)) for span in taken.ended if span.context.trace_flags.sampled],
        [span.get_span_context() for span in machine.spans],
        [span.is_recording() for span in machine.spans],
        [note for note in told.notes if "stacktrace" not in str(note)],
    )


def by_official_encoder(span: ReadableSpan) -> Any:
    """Return what the official encoder makes of the masked span, with the attributes that it forgets counted."""
    masked = redact_span(span)
    request = encode_spans([masked])
    encoded = request.resource_spans[0].scope_spans[0].spans[0]
    encoded.dropped_attributes_count += _formless(masked.attributes)
    for of_span, event in zip(masked.events, encoded.events, strict=True):
        event.dropped_attributes_count += _formless(of_span.attributes)
    for link, of_link in zip(masked.links, encoded.links, strict=True):
        of_link.dropped_attributes_count += _formless(link.attributes)
    return request


def _formless(attributes: Mapping[str, Any] | None) -> int:
    def fails(key: str, value: Any) -> bool:
        try:
            _encode_key_value(key, value)
        except Exception:  # noqa: BLE001 - the official encoder catches them all, too
            return True
        return False

    return sum(fails(key, value) for key, value in (attributes or {}).items())


def _without_places(request: Any) -> Any:
    """Leave of stack traces the last line: the others name files of the SDK."""
    for event in request.resource_spans[0].scope_spans[0].spans[0].events:
        for attribute in event.attributes:
            if attribute.key == "exception.stacktrace":
                attribute.value.string_value = "".join(attribute.value.string_value.strip().splitlines()[-1:])
    return request


LIMIT = st.sampled_from([SpanLimits.UNSET, 0, 1, 3, 128])
LIMITS = st.builds(
    SpanLimits, max_attributes=LIMIT, max_events=LIMIT, max_links=LIMIT, max_event_attributes=LIMIT,
    max_link_attributes=LIMIT, max_attribute_length=st.sampled_from([SpanLimits.UNSET, 0, 5, 8193]),
)  # fmt: skip
GENERATORS = st.sampled_from([RandomIdGenerator, Numbers])
CLOCKS = st.lists(st.integers(-5_000_000_000, 5_000_000_000), min_size=1, max_size=10)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[int]], None]:
    """A clock that goes on in given steps, backwards too."""

    def start(steps: list[int]) -> None:
        times = itertools.accumulate(itertools.cycle(steps), initial=1_700_000_000_000_000_000)
        monkeypatch.setattr("opentelemetry.sdk.trace.time_ns", times.__next__)
        ours = SimpleNamespace(time_ns=times.__next__)
        monkeypatch.setattr("mita_otel.traces.tracer.time", ours)
        monkeypatch.setattr("mita_otel.traces.span.time", ours)

    return start


@given(program=PROGRAMS, sampler=st.sampled_from(SAMPLERS), limits=LIMITS, ids=GENERATORS, steps=CLOCKS)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_program_makes_the_same_telemetry(  # noqa: PLR0917 - one argument for each thing that varies
    clock: Callable[[list[int]], None],
    program: list[Call],
    sampler: Sampler,
    limits: SpanLimits,
    ids: type[IdGenerator],
    steps: list[int],
) -> None:
    clock(steps)
    sdk = TracerProvider(sampler, RESOURCE, shutdown_on_exit=False, id_generator=ids(), span_limits=limits)
    expected = execute(program, sdk, Ours(), by_official_encoder)
    clock(steps)
    encoder = MaskingEncoder()
    lean = Provider(sampler=sampler, resource=RESOURCE, id_generator=ids(), span_limits=limits)
    found = execute(program, lean, Ours(), lambda span: ExportTraceServiceRequest.FromString(encoder.payload([span])))
    assert found.contexts == expected.contexts
    assert found.recording == expected.recording
    assert found.told == expected.told
    assert [str(request) for request in found.exported] == [str(request) for request in expected.exported]
