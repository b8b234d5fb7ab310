"""The body of an error answer: the report's form and an RFC 9457 problem in one.

Source: observability report, section 3.3; RFC 9457, section 3.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mita_otel.errors.exceptions import JSON
from mita_otel.redaction import redact_text, redact_value

PROBLEM: Final = "application/problem+json"
PLAIN: Final = "application/json"

ID_PREFIX: Final = "mita_"
_ID_BYTES: Final = 6
"""Of chance: of a million errors two have the same id with a probability of 0.2 %."""

TITLES: Final[Mapping[str, str]] = {
    "AUTH": "Authentication or authorisation failed",
    "VALIDATION": "Invalid input",
    "RESOURCE": "Not found",
    "BUSINESS": "Not allowed by a rule of the business",
    "DATABASE": "The database is not available",
    "RATE": "Too many requests",
    "EXTERNAL": "Another service is not available",
    "TIMEOUT": "Out of time",
    "SYSTEM": "Internal error",
}
"""What the first word of a code stands for; others are their own words."""


def new_error_id() -> str:
    """Return an id for one error: not the trace id, for a request that was not sampled has errors, too."""
    return ID_PREFIX + secrets.token_hex(_ID_BYTES)


def body(
    *,
    status: int,
    code: str,
    message: str,
    error_id: str,
    at: float,
    trace_id: str = "",
    details: JSON = None,
    types: str = "about:blank",
) -> dict[str, Any]:
    """Return what both readers find theirs in, masked: a message may repeat what somebody has sent.

    Args:
        status: of the answer, 400 to 599.
        code: of the error, in capitals.
        message: for the client; sensitive forms are masked.
        error_id: as `new_error_id` gives it.
        at: seconds since the epoch.
        trace_id: 32 hexadecimal digits, or nothing.
        details: what else the client may know; the values of sensitive names are masked, too.
        types: beginning of the problem type's URI, to which the code is added; `about:blank` for none.
    """
    message = redact_text(message)
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    error: dict[str, Any] = {"code": code, "message": message, "error_id": error_id, "timestamp": moment}
    if details is not None:
        error["details"] = redact_value(None, details)
    problem: dict[str, Any] = {
        "type": types if types == "about:blank" else types + code,
        "title": title_of(code),
        "status": status,
        "detail": message,
        "instance": f"urn:mita:error:{error_id}",
        "success": False,
        "error": error,
    }
    if trace_id:
        problem["trace_id"] = trace_id
    return problem


def title_of(code: str) -> str:
    """Return what errors of a code have in common, in words."""
    known = TITLES.get(code.partition("_")[0]) if code[-1:].isdigit() else None
    return known or code.replace("_", " ").capitalize()


def media_type(accept: str) -> str:
    """Return the media type that a client's `Accept` asks for; JSON unless it names the other one, and not below it."""
    weights = dict(_weighed(part) for part in accept[:1000].lower().split(","))
    problem = weights.get(PROBLEM, 0.0)
    return PROBLEM if problem > 0 and problem >= weights.get(PLAIN, 0.0) else PLAIN


def _weighed(part: str) -> tuple[str, float]:
    name, *parameters = (each.strip() for each in part.split(";"))
    weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return name, float(weight)
    except ValueError:
        return name, 0.0


SCHEMA: Final[Mapping[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Error",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "success", "error"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "success": {"const": False},
        "error": {
            "type": "object",
            "required": ["code", "message", "error_id", "timestamp"],
            "properties": {
                "code": {"type": "string", "pattern": "^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$"},
                "message": {"type": "string"},
                "error_id": {"type": "string", "pattern": "^mita_[0-9a-f]{12}$"},
                "timestamp": {"type": "string", "format": "date-time"},
                "details": True,
            },
            "additionalProperties": False,
        },
    },
}
"""JSON Schema of the body."""
