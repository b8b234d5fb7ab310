"""Errors: what they are called, what clients are told, which are the same, and when they are worth an alert."""

from typing import TYPE_CHECKING, Any

from mita_otel.errors.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusinessLogicError,
    DatabaseError,
    DeadlineExceededError,
    ExternalServiceError,
    RateLimitError,
    ResourceNotFoundError,
    StandardizedAPIException,
    ValidationError,
)
from mita_otel.errors.fingerprint import fingerprint
from mita_otel.errors.taxonomy import Category, Kind, Severity, is_timeout, of_exception, of_status

if TYPE_CHECKING:
    from mita_otel.errors.reporting import Reporter

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "BusinessLogicError",
    "Category",
    "DatabaseError",
    "DeadlineExceededError",
    "ExternalServiceError",
    "Kind",
    "RateLimitError",
    "Reporter",
    "ResourceNotFoundError",
    "Severity",
    "StandardizedAPIException",
    "ValidationError",
    "fingerprint",
    "is_timeout",
    "of_exception",
    "of_status",
]


def __getattr__(name: str) -> Any:
    """Import what gathers errors when somebody has it gather them: a start shall not wait for it."""
    if name != "Reporter":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mita_otel.errors.reporting import Reporter  # noqa: PLC0415 - as above

    return Reporter
