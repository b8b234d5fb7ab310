"""What an audit record says: who did what to what, when, from where, and how it ended.

Source: observability report, section 1.2; PCI DSS 4.0.1, requirement 10.2.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple


class EventType(StrEnum):
    """Kinds of events."""

    REQUEST = "request"
    RESPONSE = "response"
    AUTHENTICATION = "authentication"
    AUTHORIZATION = "authorization"
    DATA_ACCESS = "data_access"
    DATA_MODIFICATION = "data_modification"
    SECURITY_VIOLATION = "security_violation"
    SYSTEM_EVENT = "system_event"


class Sensitivity(StrEnum):
    """How closely a record is to be kept; it says who may read it, not how it is stored."""

    PUBLIC = "public"
    INTERNAL = "internal"
    CONFIDENTIAL = "confidential"
    RESTRICTED = "restricted"


class Outcome(StrEnum):
    """How what is recorded ended."""

    SUCCESS = "success"
    FAILURE = "failure"


SENSITIVITY: Final[Mapping[EventType, Sensitivity]] = {
    EventType.REQUEST: Sensitivity.INTERNAL,
    EventType.RESPONSE: Sensitivity.INTERNAL,
    EventType.AUTHENTICATION: Sensitivity.CONFIDENTIAL,
    EventType.AUTHORIZATION: Sensitivity.CONFIDENTIAL,
    EventType.DATA_ACCESS: Sensitivity.INTERNAL,
    EventType.DATA_MODIFICATION: Sensitivity.CONFIDENTIAL,
    EventType.SECURITY_VIOLATION: Sensitivity.CONFIDENTIAL,
    EventType.SYSTEM_EVENT: Sensitivity.INTERNAL,
}
"""What an event is if nobody says otherwise."""


class Resource(NamedTuple):
    """What was affected: `Resource("transaction", id)`."""

    type: str
    id: object = None


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, masked and plain, before it has a time and a place in a chain.

    Attributes:
        action: dotted, out of the service's own small set: `budget.changed`.
        user: who did it, an id; None for nobody known.
        address: where it came from, an IP address.
        place: which request it was, by its route: `POST /api/budgets`.
        details: plain values.
        changes: `{"before": ..., "after": ...}` by field, plain values.
        outbox_id: the row of the outbox that it was taken from.
    """

    event_type: EventType
    action: str
    outcome: Outcome
    sensitivity: Sensitivity
    user: str | None = None
    address: str | None = None
    place: str | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    correlation_id: str | None = None
    details: Mapping[str, Any] | None = None
    changes: Mapping[str, Any] | None = None
    outbox_id: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """An event in its chain, as it is stored.

    Attributes:
        chain: which writer's chain it is part of.
        seq: its place there, from 1.
        body: the canonical JSON that is hashed.
        previous: the hash of the record before it, in hexadecimal.
        hash: its own, over `previous` and `body`.
        key: the id of the key of that hash.
    """

    chain: str
    seq: int
    body: str
    previous: str
    hash: str
    key: str


class AuditError(Exception):
    """The audit log cannot do what it was asked for; the message says what to do about it."""
