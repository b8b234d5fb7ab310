"""A span that costs little: the SDK's span in all that can be seen of it, without its locks, copies and re-cleaning.

It is an instance of the SDK's `Span` and `ReadableSpan`, keeps what they keep under the same names, and inherits what
they compute. Start to end on Python 3.11, with eight attributes at the start and two later: 11.7 us in the SDK, 2.6 us
here, and 13 us of the SDK's own counting of spans, which costs 0.1 us in `counts`. `benchmarks/spans.py` measures each
figure of this room.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, EventBase, ReadableSpan, SpanLimits, _is_valid_link
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.sdk.util.instrumentation import InstrumentationInfo, InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.util.types import Attributes

from mita_otel.traces.attributes import PLAIN, clean, cleaned, fixed, number, taken

if TYPE_CHECKING:
    from mita_otel.traces.tracer import Tracer

_SAMPLED: Final = TraceFlags.SAMPLED

UNSET: Final = Status(StatusCode.UNSET)
"""The status of every span that nobody gave another; statuses cannot be changed."""

_logger: Final = logging.getLogger(__name__)


class Span(SdkSpan):
    """A recording span; made by `Tracer.start_span`, which fills it in.

    There is no lock in it. Each step that changes it is one step of the interpreter: an item set in a dict, an
    attribute stored. Of two threads that end it, one gets past the deletion of `_open`; one that sets an attribute in
    that very moment may come too late, as it may with a lock.
    """

    __slots__ = (
        "_attributes",
        "_context",
        "_dropped",
        "_end_time",
        "_events",
        "_kind",
        "_links",
        "_name",
        "_open",
        "_parent",
        "_record_exception",
        "_resource",
        "_set_status_on_exception",
        "_start_time",
        "_status",
        "_tracer",
    )

    _attributes: dict[str, Any]
    _context: SpanContext
    _dropped: int
    _open: bool
    _resource: Resource
    _tracer: "Tracer"

    # What the SDK's own methods, which are inherited, look for.

    @property
    def _limits(self) -> SpanLimits:
        return self._tracer.span_limits

    @property
    def _instrumentation_scope(self) -> InstrumentationScope:  # type: ignore[override]
        return self._tracer.instrumentation_scope

    @property
    def _instrumentation_info(self) -> InstrumentationInfo:  # type: ignore[override]
        return self._tracer.instrumentation_info

    def get_span_context(self) -> SpanContext:
        """Return what is handed on of the span. The SDK's has a call in it, and is called eight times a request."""
        return self._context

    @property
    def dropped_attributes(self) -> int:
        """Attributes that there was no room for, or whose name was none."""
        return self._dropped

    def set_attribute(self, key: str, value: Any) -> None:
        """Set an attribute, unless the span is over."""
        if self._end_time is None and type(key) is str and key:
            kind, held, tracer = type(value), self._attributes, self._tracer
            # What most are, without the three calls of the general way.
            if (
                (kind in PLAIN or (kind is str and len(value) <= tracer.text_limit))
                and key not in held
                and len(held) < tracer.attribute_limit
            ):
                held[key] = value
                return
        if self._end_time is not None:
            _logger.warning("Setting attribute on ended span.")
        elif key and isinstance(key, str):
            self._store(key, clean(value, self._tracer.text_limit))
        else:
            self._dropped += 1
            _logger.warning("invalid key `%s`. must be non-empty string. Dropping key from attributes.", key)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes, unless the span is over."""
        if self._end_time is not None:
            _logger.warning("Setting attribute on ended span.")
            return
        found, dropped = cleaned(attributes, self._tracer.text_limit)
        self._dropped += dropped
        held = self._attributes
        if len(held) + len(found) <= self._tracer.attribute_limit and held.keys().isdisjoint(found):
            held.update(found)
            return
        for key, value in found.items():
            self._store(key, value)

    def _store(self, key: str, value: Any) -> None:
        """Set what is clean; a name that is set again moves to the end, as in the SDK, and counts as young."""
        held, limit = self._attributes, self._tracer.attribute_limit
        if key in held:
            held.pop(key, None)
        elif len(held) >= limit:
            self._dropped += 1
            if limit == 0:
                return
            self._drop_oldest()
        held[key] = value

    def _drop_oldest(self) -> None:
        # Another thread may set one between the two steps.
        oldest = next(iter(tuple(self._attributes)), None)
        if oldest is not None:
            self._attributes.pop(oldest, None)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Add an event, unless the span is over.

        Args:
            name: of the event.
            attributes: as those of spans.
            timestamp: nanoseconds since the epoch; now without it.
        """
        limits = self._limits
        held = fixed(*taken(attributes, number(limits.max_event_attributes), number(limits.max_attribute_length)))
        self._add_event(Event(name, held, timestamp))

    def _add_event(self, event: EventBase) -> None:
        if self._end_time is not None:
            _logger.warning("Tried calling %s on an ended span.", "_add_event")
            return
        events = self._events
        if type(events) is tuple:
            # `setdefault` is one step: of two threads that add a first event both get the same list.
            new: BoundedList[Event] = BoundedList(self._limits.max_events)
            events = self._events = vars(self).setdefault("events", new)
        events.append(event)  # type: ignore[attr-defined] # no tuple any more

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Add a link, unless the span is over, or the link leads nowhere and says nothing."""
        if not _is_valid_link(context, attributes):
            return
        limits = self._limits
        held = fixed(*taken(attributes, number(limits.max_link_attributes), number(limits.max_attribute_length)))
        self._add_link(Link(context, held))

    def _new_links(self, links: Sequence[Link]) -> Sequence[Link]:
        """Return the links that lead somewhere, bounded; given ones are not changed, as they are by the SDK."""
        limits = self._limits
        valid = [link for link in links if _is_valid_link(link.context, link.attributes)]
        # Those that will not be kept are not cleaned: of 10,000 links, 128 are.
        first = max(0, len(valid) - number(limits.max_links))
        count, length = number(limits.max_link_attributes), number(limits.max_attribute_length)
        kept = [Link(link.context, fixed(*taken(link.attributes, count, length))) for link in valid[first:]]
        bounded = BoundedList.from_seq(limits.max_links, kept)
        bounded.dropped = first
        return bounded

    def _add_link(self, link: Link) -> None:
        if self._end_time is not None:
            _logger.warning("Tried calling %s on an ended span.", "_add_link")
            return
        links = self._links
        if type(links) is tuple:
            links = self._links = vars(self).setdefault("links", self._new_links(()))
        links.append(link)  # type: ignore[attr-defined] # no tuple any more

    def update_name(self, name: str) -> None:
        """Rename the span, unless it is over."""
        if self._end_time is not None:
            _logger.warning("Tried calling %s on an ended span.", "update_name")
        else:
            self._name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status, unless the span is over or OK; UNSET changes nothing."""
        if self._end_time is not None:
            _logger.warning("Tried calling %s on an ended span.", "set_status")
            return
        if isinstance(status, StatusCode):
            status = Status(status, description)
        elif not isinstance(status, Status):
            return
        elif description is not None:
            _logger.warning("Description %s ignored. Use either `Status` or `(StatusCode, Description)`", description)
        if self._status.status_code is not StatusCode.OK and status.status_code is not StatusCode.UNSET:
            self._status = status

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,  # noqa: FBT001, FBT002 - the API's signature
    ) -> None:
        """Add an event that describes an exception; one that cannot be described, by its type alone."""
        try:
            super().record_exception(exception, attributes, timestamp, escaped)
        except Exception as error:  # noqa: BLE001 - the guard of this room: `__str__` is the application's
            _logger.warning("an exception of type %s cannot be described: %r", type(exception).__name__, type(error))
            self.add_event("exception", {"exception.type": type(exception).__qualname__}, timestamp)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the span; an exception that leaves the block makes it an error."""
        if error is not None:
            self.fail(error, record=self._record_exception, status=self._set_status_on_exception, escaped=True)
        self.end()

    def fail(self, error: BaseException, *, record: bool, status: bool, escaped: bool = False) -> None:
        """Record an exception as event and status, unless the span is over."""
        if self._end_time is not None:
            return
        if record:
            self.record_exception(error, escaped=escaped)
        if status:
            self.set_status(Status(StatusCode.ERROR, describe(error)))

    def end(self, end_time: int | None = None) -> None:
        """End the span and hand it to the processors; every call but the first changes nothing.

        Args:
            end_time: nanoseconds since the epoch; now without it.
        """
        try:
            del self._open
        except AttributeError:
            _logger.warning("Calling end() on an ended span.")
            return
        self._end_time = time.time_ns() if end_time is None else end_time
        tracer = self._tracer
        # The flags by their position, as the property is a call.
        (tracer.count_ended if self._context[3] & _SAMPLED else tracer.count_recorded)()
        processors = tracer.span_processor
        if processors.ending:
            processors._on_ending(self)  # noqa: SLF001 - the SDK's name for it
        try:
            processors.take(self)
        except Exception:
            _logger.exception("a span processor failed")

    def start(self, start_time: int | None = None, parent_context: Any = None) -> None:  # noqa: ARG002 - the SDK's
        """Say that it runs already."""
        _logger.warning("Calling start() on a started span.")

    def _readable_span(self) -> ReadableSpan:
        """Return a copy for processors and exporters that are not ours."""
        limits = self._limits
        return ReadableSpan(
            name=self._name,
            context=self._context,
            parent=self._parent,
            resource=self._resource,
            attributes=fixed(dict(self._attributes), self._dropped),
            events=_listed(limits.max_events, self._events),
            links=_listed(limits.max_links, self._links),
            kind=self._kind,
            status=self._status,
            start_time=self._start_time,
            end_time=self._end_time,
            instrumentation_info=self._instrumentation_info,
            instrumentation_scope=self._instrumentation_scope,
        )


def _listed(limit: int | None, items: Sequence[Any]) -> Sequence[Any]:
    return BoundedList.from_seq(limit, items) if type(items) is tuple else items


def describe(error: BaseException) -> str:
    """Return an exception's type and text, as the description of a status."""
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - as in `record_exception`
        return type(error).__name__
