"""Spans masked and cut to length, in the delivery thread, before they are encoded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import Link
from opentelemetry.trace.status import Status, StatusCode

from mita_otel.redaction import DEFAULT, REDACTED, Policy
from mita_otel.redaction.clean import LONGEST_REMEMBERED
from mita_otel.redaction.cut import UNKNOWN, cap, cut, length_mark, without_tail

ATTRIBUTE_LIMIT: Final = 8_192
"""Characters of an attribute's value; the SDK is told to cut one character later, so that a cut can be recognised."""

FAILED: Final = "mita.redaction.failed"
"""The attribute of a span or log record of which nothing is left because masking it failed."""

SAFE: Final = frozenset(
    {
        *("http.request.method", "http.route", "http.response.status_code", "url.scheme", "server.port"),
        *("client.port", "network.protocol.version", "network.protocol.name", "network.peer.address"),
        *("network.peer.port", "network.transport", "network.type", "db.system.name", "db.namespace"),
        *("db.operation.name", "db.collection.name", "db.operation.batch.size", "db.response.status_code"),
        *("error.type", "exception.type", "http.request.body.size", "http.response.body.size"),
        *("http.request.resend_count", "code.function.name", "code.line.number", "thread.id", "process.pid"),
        *("trace_id", "span_id", "parent_span_id", "trace.id", "span.id"),
    }
)
"""Attributes that hold names, numbers and addresses of our own making."""

STATEMENTS: Final = frozenset({"db.query.text", "db.statement"})
COMMAND: Final = "db.query"
"""The key by which commands of systems without SQL are judged: as text."""

_NOT_SQL: Final = frozenset({"redis", "valkey", "memcached", "mongodb", "elasticsearch"})
_SPECIAL: Final[Mapping[str, Callable[[Policy, str], str]]] = {
    "url.full": Policy.url,
    "url.query": Policy.query,
    "url.path": Policy.path,
    "http.url": Policy.url,
    "http.target": Policy.url,
    "http.request.header.referer": Policy.url,
    "db.query.text": lambda policy, sql: policy.text(policy.statement(sql)),
    "db.statement": lambda policy, sql: policy.text(policy.statement(sql)),
}


def redact_span(span: ReadableSpan, policy: Policy = DEFAULT, limit: int = ATTRIBUTE_LIMIT) -> ReadableSpan:
    """Return the span with name, attributes, events, links and status masked and cut; itself if nothing changed.

    Resource and scope are not touched. Never raises: a value that cannot be judged becomes `[REDACTED]`, a span that
    cannot be judged keeps its ids, times and kind, and says `mita.redaction.failed`.

    Args:
        span: an ended span.
        policy: what is sensitive.
        limit: characters of a text, at least 64; a value of one character more is one that the SDK has cut.
    """
    try:
        return _masked(span, policy, limit)
    except Exception:  # noqa: BLE001 - the guard of this room: neither lost nor leaked
        return unjudged(span)


def unjudged(span: ReadableSpan) -> ReadableSpan:
    """Return what may leave of a span that cannot be judged: ids, times, kind, and that it is so."""
    return _rebuilt(span, REDACTED, {FAILED: True}, status=Status(span.status.status_code))


def redact_attribute(key: str, value: Any, limit: int = ATTRIBUTE_LIMIT, policy: Policy = DEFAULT) -> Any:
    """Return one attribute's value masked and cut; REDACTED if judging it fails."""
    if key in SAFE and not isinstance(value, str):
        return value
    try:
        if isinstance(value, str):
            return redact_bounded(value, limit, lambda text: _text(key, text, policy))
        return cut_texts(policy.value(key, value), value, limit)
    except Exception:  # noqa: BLE001 - what cannot be judged does not leave
        return REDACTED


def redact_attributes(
    attributes: Mapping[str, Any] | None, limit: int = ATTRIBUTE_LIMIT, policy: Policy = DEFAULT
) -> dict[str, Any] | None:
    """Return the attributes masked and cut, names too; None if nothing changed."""
    if not attributes:
        return None
    changed: dict[str, Any] = {}
    other_system = attributes.get("db.system.name") in _NOT_SQL
    for key, value in attributes.items():
        # Commands of other systems are no SQL; what they hold is judged as text.
        judged = "db.query" if other_system and key in {"db.query.text", "db.statement"} else key
        if limit >= LONGEST_REMEMBERED and policy.remembers(judged, value):
            continue
        name, masked = policy.text(key), redact_attribute(judged, value, limit, policy)
        if name != key or (masked is not value and masked != value):
            changed[key] = name, masked
        else:
            policy.remember(judged, value)
    if not changed:
        return None
    return dict(changed.get(key, (key, value)) for key, value in attributes.items())


def holds_commands(attributes: Mapping[str, Any]) -> bool:
    """Say whether the statements among the attributes are commands of a system without SQL."""
    return attributes.get("db.system.name") in _NOT_SQL


def redact_bounded(text: str, limit: int, mask: Callable[[str], str]) -> str:
    """Return a text masked, and cut to its limit, so that no half secret is left before the cut."""
    if len(text) <= limit:
        return cap(mask(text), limit)
    if len(text) == limit + 1:
        # Exactly what the SDK leaves of a longer value.
        return cut(without_tail(mask(text)), limit, UNKNOWN)
    return cut(without_tail(mask(text[: limit + limit // 2])), limit, length_mark(len(text)))


def cut_texts(masked: Any, value: Any, limit: int) -> Any:
    """Return a masked value with each text cut; `value` is what it was before, to recognise what the SDK has cut."""
    if isinstance(masked, str):
        was_cut = isinstance(value, str) and len(value) == limit + 1
        return cut(without_tail(masked), limit, UNKNOWN) if was_cut else cap(masked, limit)
    if isinstance(masked, Mapping):
        old = list(value.values()) if isinstance(value, Mapping) else list(masked.values())
        return {key: cut_texts(item, before, limit) for (key, item), before in zip(masked.items(), old, strict=True)}
    if isinstance(masked, (list, tuple)):
        items = value if isinstance(value, Sequence) else masked
        return type(masked)([cut_texts(item, before, limit) for item, before in zip(masked, items, strict=True)])
    return masked


def _text(key: str, text: str, policy: Policy) -> str:
    if key in SAFE:
        return text
    special = _SPECIAL.get(key)
    if special is not None:
        return special(policy, text)
    masked = policy.value(key, text)
    return masked if isinstance(masked, str) else REDACTED


def _masked(span: ReadableSpan, policy: Policy, limit: int) -> ReadableSpan:
    name = redact_bounded(span.name, limit, policy.text)
    attributes = redact_attributes(span.attributes, limit, policy)
    events = [redact_event(event, policy, limit) for event in span.events]
    links = [redact_link(link, policy, limit) for link in span.links]
    status = redact_status(span.status, policy, limit)
    if (
        name == span.name
        and attributes is None
        and status is span.status
        and all(new is old for new, old in zip(events, span.events, strict=True))
        and all(new is old for new, old in zip(links, span.links, strict=True))
    ):
        return span
    kept = span.attributes if attributes is None else attributes
    return _rebuilt(span, name, kept, events=events, links=links, status=status)


def _rebuilt(
    span: ReadableSpan,
    name: str,
    attributes: Mapping[str, Any] | None,
    *,
    events: Sequence[Event] = (),
    links: Sequence[Link] = (),
    status: Status,
) -> ReadableSpan:
    return ReadableSpan(
        name=name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=_bounded(attributes or {}, span.dropped_attributes),
        events=_list(events, span.dropped_events),
        links=_list(links, span.dropped_links),
        kind=span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _bounded(attributes: Mapping[str, Any], dropped: int) -> BoundedAttributes:
    """Return attributes that still say how many the SDK dropped."""
    bounded = BoundedAttributes(attributes=attributes, immutable=True)
    bounded.dropped = dropped
    return bounded


def _list(items: Sequence[Any], dropped: int) -> "BoundedList[Any]":
    kept: BoundedList[Any] = BoundedList.from_seq(None, items)
    kept.dropped = dropped
    return kept


def redact_event(event: Event, policy: Policy, limit: int) -> Event:
    """Return an event masked and cut, itself if nothing changed; of one that cannot be judged its time alone."""
    try:
        attributes = redact_attributes(event.attributes, limit, policy)
        name = redact_bounded(event.name, limit, policy.text)
        if attributes is None and name == event.name:
            return event
        kept = attributes if attributes is not None else event.attributes or {}
        return Event(name, _bounded(kept, event.dropped_attributes), event.timestamp)
    except Exception:  # noqa: BLE001 - one broken event costs itself only
        return Event(REDACTED, {FAILED: True}, event.timestamp)


def redact_link(link: Link, policy: Policy, limit: int) -> Link:
    """Return a link masked and cut, itself if nothing changed; of one that cannot be judged its context alone."""
    try:
        attributes = redact_attributes(link.attributes, limit, policy)
        return link if attributes is None else Link(link.context, _bounded(attributes, link.dropped_attributes))
    except Exception:  # noqa: BLE001 - one broken link costs its attributes only
        return Link(link.context, {FAILED: True})


def redact_status(status: Status, policy: Policy, limit: int) -> Status:
    """Return a status whose description is masked and cut, itself if nothing changed."""
    if not status.description or status.status_code is not StatusCode.ERROR:
        return status
    description = redact_bounded(status.description, limit, policy.text)
    return status if description == status.description else Status(status.status_code, description)
