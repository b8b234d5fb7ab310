"""The one definition of sensitive data and its masking, for spans, logs, audit, errors and Sentry."""

from mita_otel.redaction.keys import is_sensitive_key
from mita_otel.redaction.patterns import REDACTED, redact_text
from mita_otel.redaction.statements import redact_statement
from mita_otel.redaction.values import cap, redact_query, redact_url, redact_value

__all__ = [
    "REDACTED",
    "cap",
    "is_sensitive_key",
    "redact_query",
    "redact_statement",
    "redact_text",
    "redact_url",
    "redact_value",
]
