"""Errors that an application raises to end a request. Source: observability report, section 3.3."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from mita_otel.errors.taxonomy import Category, Kind, Severity

JSON: TypeAlias = "str | float | bool | Sequence[JSON] | Mapping[str, JSON] | None"

_CODE: Final = r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*"
_STATUSES: Final = range(400, 600)


class StandardizedAPIException(Exception):  # noqa: N818 - the report's name
    """Ends a request with a status, a code and a message that the client may read.

    Args:
        message: one sentence for the client; nothing of our insides.
        code: tells errors of one kind apart, in capitals, such as `VALIDATION_2002`; by default the class's.
        status: 400 to 599; by default the class's.
        details: what else the client may know, as JSON has it; never the input itself.
        headers: of the answer, such as `Retry-After`.
        severity: by default the class's.

    Raises:
        ValueError: the code or the status is not allowed.
    """

    status: int = 500
    code: str = "SYSTEM_9001"
    kind: Kind = Kind(Category.SYSTEM, Severity.HIGH)

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        details: JSON = None,
        headers: Mapping[str, str] | None = None,
        severity: Severity | None = None,
    ) -> None:
        super().__init__(message)
        if code is not None and not re.fullmatch(_CODE, code):
            raise ValueError(f"code={code!r} is not allowed: it takes capitals, digits and underscores")
        if status is not None and status not in _STATUSES:
            raise ValueError(f"status={status!r} is not allowed: it takes 400 to 599")
        self.message = message
        self.details = details
        self.headers = dict(headers or {})
        self.status = self.status if status is None else status
        self.code = self.code if code is None else code
        self.kind = self.kind if severity is None else Kind(self.kind.category, severity)


class AuthenticationError(StandardizedAPIException):
    """Nobody knows who asks."""

    status = 401
    code = "AUTH_1001"
    kind = Kind(Category.AUTHENTICATION, Severity.MEDIUM)


class AuthorizationError(StandardizedAPIException):
    """Who asks may not."""

    status = 403
    code = "AUTH_1002"
    kind = Kind(Category.AUTHORIZATION, Severity.MEDIUM)


class ValidationError(StandardizedAPIException):
    """The input cannot be meant."""

    status = 422
    code = "VALIDATION_2002"
    kind = Kind(Category.VALIDATION, Severity.LOW)


class ResourceNotFoundError(StandardizedAPIException):
    """It is not there, or not the caller's."""

    status = 404
    code = "RESOURCE_3001"
    kind = Kind(Category.BUSINESS_LOGIC, Severity.LOW)


class BusinessLogicError(StandardizedAPIException):
    """A rule of the business forbids it."""

    status = 409
    code = "BUSINESS_4001"
    kind = Kind(Category.BUSINESS_LOGIC, Severity.LOW)


class DatabaseError(StandardizedAPIException):
    """The database does not answer, or not as it should."""

    status = 503
    code = "DATABASE_5001"
    kind = Kind(Category.DATABASE, Severity.HIGH)


class RateLimitError(StandardizedAPIException):
    """Too many requests."""

    status = 429
    code = "RATE_LIMIT_6001"
    kind = Kind(Category.BUSINESS_LOGIC, Severity.LOW)


class ExternalServiceError(StandardizedAPIException):
    """A service that this one depends on does not answer, or not as it should."""

    status = 503
    code = "EXTERNAL_7001"
    kind = Kind(Category.EXTERNAL_API, Severity.HIGH)


class DeadlineExceededError(StandardizedAPIException):
    """The time that the request had is used up."""

    status = 504
    code = "TIMEOUT_8001"
    kind = Kind(Category.PERFORMANCE, Severity.HIGH)
