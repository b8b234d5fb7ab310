"""Spans masked and cut to length, in the delivery thread, before they are encoded."""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link
from opentelemetry.trace.status import Status

from mita_otel.redaction import REDACTED, cap, redact_query, redact_statement, redact_text, redact_url, redact_value

ATTRIBUTE_LIMIT: Final = 8_192
"""Characters of an attribute's value; the SDK is told to cut one character later, so that a cut can be recognised."""

SAFE: Final = frozenset(
    {
        *("http.request.method", "http.route", "http.response.status_code", "url.scheme", "server.address"),
        *("server.port", "network.protocol.version", "network.protocol.name", "network.peer.address"),
        *("network.peer.port", "db.system.name", "db.namespace", "db.operation.name", "db.collection.name"),
        *("db.operation.batch.size", "db.query.summary", "db.response.status_code", "error.type", "exception.type"),
        *("correlation_id", "http.request.body.size", "http.response.body.size"),
    }
)
"""Attributes that hold names, numbers and addresses of our own making."""

_BY_KEY: Final[Mapping[str, Callable[[str], str]]] = {
    "url.full": redact_url,
    "url.query": redact_query,
    "db.query.text": lambda statement: redact_text(redact_statement(statement)),
}


def redact_span(span: ReadableSpan) -> ReadableSpan:
    """Return the span with name, attributes, events, links and status masked and cut; itself if nothing changed."""
    name = redact_text(span.name)
    attributes = _attributes(span.attributes)
    events = [_event(event) for event in span.events]
    links = [_link(link) for link in span.links]
    status = _status(span.status)
    if (
        name == span.name
        and attributes is span.attributes
        and status is span.status
        and all(new is old for new, old in zip(events, span.events, strict=True))
        and all(new is old for new, old in zip(links, span.links, strict=True))
    ):
        return span
    masked = copy.copy(span)
    # The SDK's encoder reads dropped counts and times from the copy, so only what was masked is replaced.
    masked._name = name  # noqa: SLF001 - a ReadableSpan has no public way to be changed
    masked._attributes = attributes  # type: ignore[assignment]  # noqa: SLF001 - as above
    masked._events = events  # type: ignore[assignment]  # noqa: SLF001 - as above
    masked._links = links  # type: ignore[assignment]  # noqa: SLF001 - as above
    masked._status = status  # noqa: SLF001 - as above
    return masked


def redact_attribute(key: str, value: Any, limit: int = ATTRIBUTE_LIMIT) -> Any:
    """Return one attribute's value masked and cut; REDACTED if judging it fails."""
    if key in SAFE or isinstance(value, (bool, float)):
        return value
    try:
        special = _BY_KEY.get(key)
        masked = special(value) if special is not None and isinstance(value, str) else redact_value(key, value)
    except Exception:  # noqa: BLE001 - what cannot be judged does not leave
        return REDACTED
    return _cut(masked, limit)


def _cut(value: Any, limit: int) -> Any:
    if isinstance(value, str) and len(value) > limit:
        # Exactly one more than the limit is what the SDK left of a longer value.
        mark = "...[truncated]"
        return value[: limit - len(mark)] + mark if len(value) == limit + 1 else cap(value, limit)
    if isinstance(value, (list, tuple)):
        return type(value)(_cut(item, limit) for item in value)
    return value


def _attributes(attributes: Any) -> Any:
    if not attributes:
        return attributes
    masked = {key: redact_attribute(key, value) for key, value in attributes.items()}
    if all(masked[key] is value or masked[key] == value for key, value in attributes.items()):
        return attributes
    bounded = BoundedAttributes(attributes=masked, immutable=True)
    bounded.dropped = getattr(attributes, "dropped", 0)
    return bounded


def _event(event: Any) -> Any:
    attributes = _attributes(event.attributes)
    name = redact_text(event.name)
    if attributes is event.attributes and name == event.name:
        return event
    return Event(name=name, attributes=attributes, timestamp=event.timestamp)


def _link(link: Link) -> Link:
    attributes = _attributes(link.attributes)
    return link if attributes is link.attributes else Link(link.context, attributes)


def _status(status: Status) -> Status:
    if not status.description:
        return status
    description = cap(redact_text(status.description), ATTRIBUTE_LIMIT)
    return status if description == status.description else Status(status.status_code, description)
