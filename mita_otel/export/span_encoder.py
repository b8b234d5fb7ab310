"""Ended spans masked and written as OTLP bytes in one go.

Copying each span to mask it and building a protobuf object for each attribute took 24 us a span and more. Here an
attribute that was seen before, and was clean, is one look-up: 3.5 us for a span of a query, 4.5 for one of a request,
whose id is new each time. It happens in the delivery thread: at the end of each span, in the thread that serves
requests, it cost 14 us more a request in all, and texts of any length would be searched there.
"""
# ruff: noqa: SLF001 - of our own spans it is read what they keep, as each property is a call

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace.span import DEFAULT_TRACE_STATE

from mita_otel import correlation
from mita_otel.export import span_record
from mita_otel.export.recent import Recent
from mita_otel.export.span_record import ATTRIBUTE, Content
from mita_otel.export.turns import Turns
from mita_otel.export.wire import Envelopes, Piece, attributes, join, key_value
from mita_otel.redaction import DEFAULT, Policy
from mita_otel.traces.positions import STATE
from mita_otel.traces.redaction import (
    ATTRIBUTE_LIMIT,
    COMMAND,
    STATEMENTS,
    holds_commands,
    redact_attribute,
    redact_attributes,
    redact_bounded,
    redact_event,
    redact_link,
    redact_status,
    unjudged,
)
from mita_otel.traces.span import UNSET
from mita_otel.traces.span import Span as OwnSpan

T = TypeVar("T")

REMEMBERED: Final = 256 * 1024
"""Bytes of one of two generations of clean attributes: about 800 of them."""

_LONGEST_REMEMBERED: Final = 4_096
_RENAMED: Final = b""
_NAME: Final = ""
"""Stands, where attributes are remembered by their key, for the span's name; attributes cannot be called so."""

_REPEATING: Final = frozenset({str, int, bool})
"""Types of values that are worth remembering: those of other types hardly come again, or cannot be looked up."""


_OWN_ID: Final = re.compile(r"[0-9a-f]{32}")
"""The correlation ids that `correlation` makes up: no policy has a form that such a text could have."""


class SpanEncoder:
    """Makes payloads of spans, in the delivery thread.

    Args:
        prepare: applied to each span before it is written as it then is.
    """

    def __init__(self, prepare: Callable[[ReadableSpan], ReadableSpan] | None = None) -> None:
        self._prepare = prepare
        self._envelopes = Envelopes()
        self.turns: Final = Turns()

    def payload(self, spans: Iterable[ReadableSpan | Piece]) -> bytes:
        """Return an export request of spans, and of pieces of earlier ones. Raises what `record` raises for a span."""
        pieces: list[Piece] = []
        tracer = envelope = None
        for span in spans:
            if type(span) is OwnSpan:
                # Its properties would be two calls each, and spans of one tracer often come together.
                if envelope is None or span._tracer is not tracer:
                    tracer = span._tracer
                    envelope = self._envelopes.of(span._resource, tracer.instrumentation_scope)
                pieces.append((envelope, self.record(span)))
            elif isinstance(span, tuple):
                pieces.append(span)
                continue
            else:
                pieces.append((self._envelopes.of(span.resource, span.instrumentation_scope), self.record(span)))
            self.turns.offer()
        return join(pieces)

    def record(self, span: ReadableSpan) -> bytes:
        """Return a span as a field of its `ScopeSpans`.

        Raises:
            Exception: the span could not be prepared, or has no form in OTLP.
        """
        return span_record.encode(span if self._prepare is None else self._prepare(span))


class MaskingEncoder(SpanEncoder):
    """Masks and cuts what spans say, by the rules of `traces.redaction`.

    Args:
        policy: what is sensitive.
        limit: characters of a text; see `redact_span`.
    """

    def __init__(self, policy: Policy = DEFAULT, limit: int = ATTRIBUTE_LIMIT) -> None:
        super().__init__()
        self._policy = policy
        self._limit = limit
        self._recent: Recent[tuple[str, Any, Any]] = Recent(REMEMBERED)
        own = key_value(correlation.ATTRIBUTE, sample := "0" * 32)
        # New with each request, so that remembering it is of no use, and judging it each time took 4 us.
        self._own_id: Final = (
            ATTRIBUTE + own.removesuffix(sample.encode())
            if policy.text(correlation.ATTRIBUTE) == correlation.ATTRIBUTE
            and redact_attribute(correlation.ATTRIBUTE, sample, limit, policy) == sample
            else None
        )

    def record(self, span: ReadableSpan) -> bytes:
        """Return a span as a field of its `ScopeSpans`; one that cannot be judged or written, ids and times alone.

        Raises:
            Exception: not even those have a form in OTLP.
        """
        try:
            if type(span) is OwnSpan and (plain := self._plain(span)) is not None:
                return plain
            return span_record.write(span, self._masked(span))
        except Exception:  # noqa: BLE001 - the guard of `redact_span`: neither lost nor leaked
            return span_record.encode(unjudged(span))

    def _plain(self, span: OwnSpan) -> bytes | None:
        """Return a span of ours that says nothing but its attributes, as nearly all do; None for another.

        What the properties of a span compute, fifteen calls in all, took as long as its attributes.
        """
        if (
            type(span._events) is not tuple  # as long as none was added: a list may be empty and have dropped some
            or type(span._links) is not tuple
            or span._dropped
            or span._status is not UNSET
            or span._context[STATE] is not DEFAULT_TRACE_STATE
        ):
            return None
        fields, lost = self._attributes(span._attributes)
        if lost:
            return None
        name = span._name
        return span_record.plain(span, self._recent.young.get((_NAME, str, name)) or self._name(name), fields)

    def _masked(self, span: ReadableSpan) -> Content:
        policy, limit = self._policy, self._limit
        fields, lost = self._attributes(span.attributes or {})
        name, events, links, status = span.name, span.events, span.links, span.status
        return Content(
            self._recent.young.get((_NAME, str, name)) or self._name(name),
            fields,
            lost,
            self._each(redact_event, events) if events else (),
            self._each(redact_link, links) if links else (),
            status if status is UNSET else redact_status(status, policy, limit),
        )

    def _each(self, redact: Callable[[T, Policy, int], T], items: Sequence[T]) -> list[T]:
        masked = []
        for item in items:
            masked.append(redact(item, self._policy, self._limit))
            self.turns.offer()
        return masked

    def _name(self, name: str) -> bytes:
        key = (_NAME, str, name)
        field = self._recent.find(key)
        if field is None:
            masked = redact_bounded(name, self._limit, self._policy.text)
            field = span_record.name(masked)
            self._remember(key, field, clean=masked == name)
        return field

    def _attributes(self, given: Mapping[str, Any]) -> tuple[list[bytes], int]:
        """Return each attribute as a field, and how many have no form."""
        fields: list[bytes] = []
        lost = 0
        seen, own_id = self._recent.young.get, self._own_id
        commands = holds_commands(given)
        for key, value in tuple(given.items()):  # one step: a late `set_attribute` may come meanwhile
            kind: Any = type(value)
            judged = COMMAND if commands and key in STATEMENTS else kind
            field = seen((key, judged, value)) if kind in _REPEATING else None
            if field is None:
                if key == correlation.ATTRIBUTE and own_id is not None and kind is str and _OWN_ID.fullmatch(value):
                    field = own_id + value.encode()
                else:
                    field = self._judged(key, judged, value)
                if field is None:
                    lost += 1
                    continue
                if field is _RENAMED:
                    return self._renamed(given)
            fields.append(field)
        return fields, lost

    def _judged(self, key: str, kind: Any, value: Any) -> bytes | None:
        """Return an attribute as a field; None if it has no form, `_RENAMED` if its name must not leave."""
        repeating = type(value) in _REPEATING
        known = self._recent.find((key, kind, value)) if repeating else None
        if known is not None:
            return known
        if self._policy.text(key) != key:
            return _RENAMED
        masked = redact_attribute(COMMAND if kind is COMMAND else key, value, self._limit, self._policy)
        try:
            field = ATTRIBUTE + key_value(key, masked)
        except (ValueError, TypeError, RecursionError):
            return None
        self._remember((key, kind, value), field, clean=repeating and masked == value)
        self.turns.offer()
        return field

    def _remember(self, key: tuple[str, Any, Any], field: bytes, *, clean: bool) -> None:
        # What had to be masked is not remembered: no secret stays in memory longer than its span.
        if clean and len(field) <= _LONGEST_REMEMBERED:
            self._recent.keep(key, field)

    def _renamed(self, given: Mapping[str, Any]) -> tuple[list[bytes], int]:
        """Return the attributes when a name was masked, so that two may have become one."""
        masked = redact_attributes(given, self._limit, self._policy)
        return attributes(ATTRIBUTE, (given if masked is None else masked).items())
