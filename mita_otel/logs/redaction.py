"""Log records masked and cut to length, in the delivery thread, before they are encoded."""

import copy
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk._logs import ReadableLogRecord

from mita_otel.redaction import DEFAULT, REDACTED, Policy
from mita_otel.traces.redaction import FAILED, cut_texts, redact_attributes, redact_bounded

BODY_LIMIT: Final = 32_768
"""Characters of a body or a stack trace."""


def redact_log_record(
    record: ReadableLogRecord, policy: Policy = DEFAULT, limit: int = BODY_LIMIT
) -> ReadableLogRecord:
    """Return the record with body, attributes and names masked and cut; itself if nothing changed.

    Resource and scope are not touched. Never raises: a value that cannot be judged becomes `[REDACTED]`, a record that
    cannot be judged keeps its ids, times and severity, and says `mita.redaction.failed`.

    Args:
        record: what the SDK hands to a processor.
        policy: what is sensitive.
        limit: characters of the body and of an attribute's value, at least 64.
    """
    try:
        return _masked(record, policy, limit)
    except Exception:  # noqa: BLE001 - the guard of this room: neither lost nor leaked
        return _rebuilt(record, body=REDACTED, attributes={FAILED: True}, event_name=None)


def redact_entry(entry: Mapping[str, Any], policy: Policy = DEFAULT, limit: int = BODY_LIMIT) -> dict[str, Any]:
    """Return a log entry that is a plain dict masked and cut, such as a line for standard output; never raises."""
    try:
        masked = redact_attributes(entry, limit, policy)
        return dict(entry) if masked is None else masked
    except Exception:  # noqa: BLE001 - as above
        return {FAILED: True}


def _masked(record: ReadableLogRecord, policy: Policy, limit: int) -> ReadableLogRecord:
    log = record.log_record
    body = _body(log.body, policy, limit)
    attributes = redact_attributes(log.attributes, limit, policy)
    event_name = redact_bounded(log.event_name, limit, policy.text) if log.event_name else log.event_name
    if (body is log.body or body == log.body) and attributes is None and event_name == log.event_name:
        return record
    return _rebuilt(
        record, body=body, attributes=log.attributes if attributes is None else attributes, event_name=event_name
    )


def _rebuilt(
    record: ReadableLogRecord, *, body: Any, attributes: Mapping[str, Any] | None, event_name: str | None
) -> ReadableLogRecord:
    log = copy.copy(record.log_record)
    bounded = BoundedAttributes(attributes=attributes, immutable=True)
    bounded.dropped = record.dropped_attributes
    log.body, log.attributes, log.event_name = body, bounded, event_name
    # Its message and stack trace are attributes already, masked; the object itself would bring them back.
    log.exception = None
    return ReadableLogRecord(
        log_record=log,
        resource=record.resource,
        instrumentation_scope=record.instrumentation_scope,
        limits=record.limits,
    )


def _body(body: Any, policy: Policy, limit: int) -> Any:
    if isinstance(body, str):
        return redact_bounded(body, limit, policy.text)
    return cut_texts(policy.value(None, body), body, limit)
