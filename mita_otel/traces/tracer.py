"""Starts spans: parent, decision, span, processors, in that order and nothing besides."""
# ruff: noqa: SLF001, PLR0917 - a span and its tracer are one thing in two classes; the API's signatures are long

import logging
import random
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, _TracerConfig
from opentelemetry.sdk.trace import Tracer as SdkTracer
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision, Sampler
from opentelemetry.sdk.util.instrumentation import InstrumentationInfo, InstrumentationScope
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags, TraceState
from opentelemetry.trace.propagation import _SPAN_KEY
from opentelemetry.trace.span import DEFAULT_TRACE_STATE

from mita_otel.current_context import get_current
from mita_otel.traces.attributes import number, taken
from mita_otel.traces.counts import LOCAL_PARENT, NO_PARENT, REMOTE_PARENT, SpanCounts
from mita_otel.traces.current import CurrentSpan
from mita_otel.traces.positions import IS_VALID
from mita_otel.traces.processors import Processors
from mita_otel.traces.sampling import TRACE_ID_MASK, bounds_of
from mita_otel.traces.span import UNSET, Span

_SAMPLED: Final = TraceFlags.SAMPLED
_SERVER: Final = SpanKind.SERVER
_RANDOM: Final = TraceFlags.RANDOM_TRACE_ID
_FLAGS: Final = tuple(TraceFlags(flags) for flags in range(4))
_logger: Final = logging.getLogger(__name__)

# Neither calls a Python function: together 0.4 us less a span than `SpanContext(...)` and a constructor with a body.
_new_context: Final = tuple.__new__
_new_span: Final = object.__new__


class Tracer(SdkTracer):
    """Makes the spans of one instrumentation scope.

    Attributes:
        attribute_limit: attributes of a span.
        count_ended: counts a sampled span that ends.
        count_recorded: counts one that was recorded, but not sampled.
        text_limit: characters of a span attribute's text.
    """

    def __init__(
        self,
        scope: InstrumentationScope,
        *,
        sampler: Sampler,
        resource: Resource,
        processors: Processors,
        id_generator: IdGenerator,
        span_limits: SpanLimits,
        counts: SpanCounts,
        config: _TracerConfig,
    ) -> None:
        # The SDK's constructor would create instruments, which count each span for 12 us.
        self.sampler = sampler
        self.resource = resource
        self.span_processor: Processors = processors
        self.id_generator = id_generator
        self.span_limits: Final = span_limits
        self.instrumentation_scope: Final = scope
        self.attribute_limit: Final = number(span_limits.max_span_attributes)
        self.text_limit: Final = number(span_limits.max_span_attribute_length)
        self._tracer_config = config
        self._counts = counts
        self._count_sampled = counts.start(Decision.RECORD_AND_SAMPLE)
        self._count_dropped = counts.start(Decision.DROP)
        self.count_ended: Final = counts.end(Decision.RECORD_AND_SAMPLE)
        self.count_recorded: Final = counts.end(Decision.RECORD_ONLY)

    @property
    def sampler(self) -> Sampler:
        """Who decides what is sampled; another one may be put here at any time."""
        return self._sampler

    @sampler.setter
    def sampler(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._bounds = bounds_of(sampler)

    @property
    def id_generator(self) -> IdGenerator:
        """Who makes up ids."""
        return self._id_generator

    @id_generator.setter
    def id_generator(self, generator: IdGenerator) -> None:
        self._id_generator = generator
        self._ids_are_random = type(generator) is RandomIdGenerator

    @property
    def instrumentation_info(self) -> InstrumentationInfo:  # type: ignore[override]
        """The scope as the SDK called it before."""
        scope = self.instrumentation_scope
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return InstrumentationInfo(scope.name, scope.version, scope.schema_url)

    def start_as_current_span(  # type: ignore[override] # the API's is a generator's manager
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002 - the API's signature
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002
        end_on_exit: bool = True,  # noqa: FBT001, FBT002
    ) -> CurrentSpan:
        """Start a span for a block or for each call of a function, as the API says."""
        begin = partial(
            self.start_span,
            name,
            context,
            kind,
            attributes,
            links,
            start_time,
            record_exception,
            set_status_on_exception,
        )
        return CurrentSpan(begin, end_on_exit=end_on_exit, record=record_exception, status=set_status_on_exception)

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002 - the API's signature
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002
        *,
        deferred: Callable[..., tuple[dict[str, Any], int]] | None = None,
        of: tuple[Any, ...] = (),
    ) -> trace.Span:
        """Start a span, as the API says: a recording one, or one that only carries ids.

        `deferred` makes the attributes of what is in `of`, and is asked only where they are needed; it returns what
        `attributes.taken` does. Who gives `of` does itself what processors of SERVER spans alone would do.
        """
        around = (get_current() if context is None else context).get(_SPAN_KEY)
        parent = None if around is None else around._context if type(around) is Span else _context_of(around)
        if not self._tracer_config.is_enabled:
            return NonRecordingSpan(parent or trace.INVALID_SPAN_CONTEXT)
        links = links or ()
        state: TraceState | None
        flags: int
        if parent is not None and parent[IS_VALID]:
            # By their positions, as the properties are calls.
            trace_id, _, is_remote, flags, state, _ = parent
            origin = REMOTE_PARENT if is_remote else LOCAL_PARENT
        else:
            parent, origin, state = None, NO_PARENT, None
            trace_id, flags = (random.getrandbits(128) or 1, _RANDOM) if self._ids_are_random else self._new_trace()
        bounds = self._bounds
        if bounds is None:
            if deferred is not None:
                attributes, deferred = deferred(*of)[0], None
            decision, attributes, state = self._ask(context, trace_id, name, kind, attributes, links)
            recording, sampled = decision is not Decision.DROP, decision is Decision.RECORD_AND_SAMPLE
            self._counts.start(decision)[origin]()
        else:
            # The positions are those of `Bounds`: 0 without a parent, then remote and local, sampled before not.
            recording = sampled = trace_id & TRACE_ID_MASK < bounds[2 * origin - (flags & _SAMPLED)]
            (self._count_sampled if sampled else self._count_dropped)[origin]()
        span_id = random.getrandbits(64) or 1 if self._ids_are_random else self._id_generator.generate_span_id()
        traced = _FLAGS[flags & _RANDOM | sampled]
        if state is None:
            state = DEFAULT_TRACE_STATE
        # Random ids are valid: what the constructor would find out again.
        own = (
            _new_context(SpanContext, (trace_id, span_id, False, traced, state, True))
            if self._ids_are_random
            else SpanContext(trace_id, span_id, False, traced, state)
        )
        if not recording:
            carrier = _new_span(NonRecordingSpan)
            carrier._context = own
            return carrier
        span = _new_span(Span)
        span._tracer = self
        span._name = name
        span._context = own
        span._parent = parent
        span._kind = kind
        span._resource = self.resource
        span._status = UNSET
        span._events = ()
        span._links = span._new_links(links) if links else ()
        span._attributes, span._dropped = (
            taken(attributes, self.attribute_limit, self.text_limit) if deferred is None else deferred(*of)
        )
        span._start_time = time.time_ns() if start_time is None else start_time
        span._end_time = None
        span._open = True
        span._record_exception = record_exception
        span._set_status_on_exception = set_status_on_exception
        processors = self.span_processor
        if starting := processors.starting_server if kind is _SERVER and not of else processors.starting:
            processors.tell(starting, span, context)
        return span

    def _new_trace(self) -> tuple[int, int]:
        """Return the id of a new trace by a generator of the application's, and the flags that say how it was made."""
        generator = self._id_generator
        return generator.generate_trace_id(), _RANDOM if generator.is_trace_id_random() else 0

    def _ask(
        self,
        context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, Any] | None,
        links: Sequence[Link],
    ) -> tuple[Decision, Mapping[str, Any] | None, TraceState | None]:
        """Ask a sampler that is not the SDK's; one that raises drops the span."""
        try:
            result = self._sampler.should_sample(context, trace_id, name, kind, attributes, links)
        except Exception:
            _logger.exception("the sampler failed; the span is dropped")
            return Decision.DROP, None, None
        return result.decision, result.attributes, result.trace_state


def _context_of(span: object) -> SpanContext | None:
    # Asked only where it is none of ours: `isinstance` of an abstract class would be 0.5 us.
    found = span.get_span_context() if isinstance(span, trace.Span) else None
    return found if isinstance(found, SpanContext) else None
