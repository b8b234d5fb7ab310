"""Errors: what they are called, what clients are told, which are the same, and when they are worth an alert."""

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
from mita_otel.errors.reporting import Reporter
from mita_otel.errors.taxonomy import Category, Kind, Severity, is_timeout, of_exception, of_status

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
