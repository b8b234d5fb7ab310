"""Log records masked and cut to length, in the delivery thread, before they are encoded."""

import copy
from typing import Any

from opentelemetry.sdk._logs import ReadableLogRecord

from mita_otel.redaction import REDACTED, redact_value
from mita_otel.traces.redaction import redact_attribute

BODY_LIMIT = 32_768
"""Characters of a body or a stack trace."""


def redact_log_record(record: ReadableLogRecord) -> ReadableLogRecord:
    """Return the record with body and attributes masked; what the pipeline has masked already passes unchanged."""
    masked: Any = copy.copy(record.log_record)
    masked.body = redact_value(None, masked.body)
    if masked.attributes:
        masked.attributes = {key: _attribute(key, value) for key, value in masked.attributes.items()}
    return ReadableLogRecord(
        log_record=masked,
        resource=record.resource,
        instrumentation_scope=record.instrumentation_scope,
        limits=record.limits,
    )


def _attribute(key: str, value: Any) -> Any:
    try:
        return redact_attribute(key, value, BODY_LIMIT)
    except Exception:  # noqa: BLE001 - what cannot be judged does not leave
        return REDACTED
