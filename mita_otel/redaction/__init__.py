"""The one definition of sensitive data and its masking, for spans, logs, audit, errors and Sentry."""

from mita_otel.redaction.cut import cap
from mita_otel.redaction.keys import Keys
from mita_otel.redaction.patterns import PATTERNS, REDACTED, Pattern
from mita_otel.redaction.policy import DEFAULT, Policy

is_sensitive_key = DEFAULT.keys.is_sensitive
redact_text = DEFAULT.text
redact_value = DEFAULT.value
redact_query = DEFAULT.query
redact_path = DEFAULT.path
redact_url = DEFAULT.url
redact_statement = DEFAULT.statement

__all__ = [
    "DEFAULT",
    "PATTERNS",
    "REDACTED",
    "Keys",
    "Pattern",
    "Policy",
    "cap",
    "is_sensitive_key",
    "redact_path",
    "redact_query",
    "redact_statement",
    "redact_text",
    "redact_url",
    "redact_value",
]
