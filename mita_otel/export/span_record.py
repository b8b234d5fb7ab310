"""A span in OTLP's wire format.

Source: opentelemetry/proto/trace/v1/trace.proto
"""
# ruff: noqa: SLF001 - of our own spans it is read what they keep, as each property is a call

from collections.abc import Sequence
from typing import Final, NamedTuple

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceState

from mita_otel.export.wire import attributes, fixed32, fixed64, framed, text, varint
from mita_otel.traces.span import Span as OwnSpan

ATTRIBUTE: Final = b"\x4a"
"""The tag of an attribute in its span."""

_SPAN: Final = b"\x12"
_KINDS: Final = tuple(b"\x30" + varint(kind.value + 1) for kind in SpanKind)
"""By the API's number, which is one less than that of OTLP."""

_HAS_IS_REMOTE: Final = 0x100
_IS_REMOTE: Final = 0x200
_LOCAL_PARENT: Final = b"\x85\x01" + fixed32(_HAS_IS_REMOTE)
_REMOTE_PARENT: Final = b"\x85\x01" + fixed32(_HAS_IS_REMOTE | _IS_REMOTE)
_UNSET: Final = b"\x7a\x00"


class Content(NamedTuple):
    """What a span says, as it may leave.

    Attributes:
        name: the span's, as a field.
        fields: each attribute as a field.
        lost: attributes that have no form in OTLP.
        events, links, status: as the SDK has them.
    """

    name: bytes
    fields: Sequence[bytes]
    lost: int
    events: Sequence[Event]
    links: Sequence[Link]
    status: Status


def encode(span: ReadableSpan) -> bytes:
    """Return a span as a field of its `ScopeSpans`. Raises as `write`."""
    fields, lost = attributes(ATTRIBUTE, (span.attributes or {}).items())
    return write(span, Content(name(span.name), fields, lost, span.events, span.links, span.status))


def name(of_span: str) -> bytes:
    """Return a span's name as a field. Raises UnicodeEncodeError for what is no text."""
    return b"\x2a" + text(of_span) if of_span else b""


def plain(span: OwnSpan, name: bytes, fields: Sequence[bytes]) -> bytes:
    """Return a span of ours as a field of its `ScopeSpans`: one without events, links, status and trace state.

    Args:
        span: ended, or not.
        name: the span's, as a field.
        fields: each attribute as a field.

    Raises:
        Exception: as `write`.
    """
    context, parent = span._context, span._parent
    content = b"".join(
        (
            b"\x0a\x10",
            context[0].to_bytes(16, "big"),
            b"\x12\x08",
            context[1].to_bytes(8, "big"),
            _LOCAL_PARENT if parent is None else _parent(parent),
            name,
            _KINDS[span._kind._value_],
            b"\x39",
            fixed64(span._start_time or 0),
            b"\x41",
            fixed64(span._end_time or 0),
            *fields,
            _UNSET,
        )
    )
    return b"".join((_SPAN, varint(len(content)), content))


def write(span: ReadableSpan, content: Content) -> bytes:
    """Return a span with that content as a field of its `ScopeSpans`.

    Raises:
        Exception: ids, times or texts are none; the span has no form in OTLP.
    """
    context, parent = span.context, span.parent
    parts = [
        _ids(context),
        _LOCAL_PARENT if parent is None else _parent(parent),
        content.name,
        _KINDS[span.kind._value_],
        b"\x39" + fixed64(span.start_time or 0) + b"\x41" + fixed64(span.end_time or 0),
        *content.fields,
        _UNSET if content.status.status_code is StatusCode.UNSET else _status(content.status),
    ]
    dropped = span.dropped_attributes + content.lost
    if dropped:
        parts.append(b"\x50" + varint(dropped))
    if context.trace_state:
        parts.append(b"\x1a" + text(_state(context.trace_state)))
    if content.events:
        parts += (b"\x5a" + framed(_event(event)) for event in content.events)
    if content.links:
        parts += (b"\x6a" + framed(_link(link)) for link in content.links)
    parts.append(_count(b"\x60", span.dropped_events) + _count(b"\x70", span.dropped_links))
    return _SPAN + framed(b"".join(parts))


def _ids(context: SpanContext) -> bytes:
    return b"\x0a\x10" + context.trace_id.to_bytes(16, "big") + b"\x12\x08" + context.span_id.to_bytes(8, "big")


def _parent(context: SpanContext) -> bytes:
    return b"\x22\x08" + context.span_id.to_bytes(8, "big") + (_REMOTE_PARENT if context.is_remote else _LOCAL_PARENT)


def _state(state: TraceState) -> str:
    return ",".join(f"{key}={value}" for key, value in state.items())


def _count(tag: bytes, number: int) -> bytes:
    return tag + varint(number) if number else b""


def _event(event: Event) -> bytes:
    fields, lost = attributes(b"\x1a", (event.attributes or {}).items())
    return b"".join(
        (
            b"\x09" + fixed64(event.timestamp or 0),
            b"\x12" + text(event.name) if event.name else b"",
            *fields,
            _count(b"\x20", event.dropped_attributes + lost),
        )
    )


def _link(link: Link) -> bytes:
    context = link.context
    fields, lost = attributes(b"\x22", (link.attributes or {}).items())
    flags = _HAS_IS_REMOTE | _IS_REMOTE if context.is_remote else _HAS_IS_REMOTE
    return b"".join(
        (
            _ids(context),
            *fields,
            _count(b"\x28", link.dropped_attributes + lost),
            b"\x35" + fixed32(flags),
        )
    )


def _status(status: Status) -> bytes:
    message = b"\x12" + text(status.description) if status.description else b""
    return b"\x7a" + framed(message + b"\x18" + varint(status.status_code.value))
