"""Errors that clients see: a code, a message, and nothing of our insides."""

import pydantic

from mita_otel.errors import Category, DatabaseError, Kind, StandardizedAPIException, ValidationError, of_status
from mita_otel.errors.exceptions import JSON
from mita_otel.web.problems import install, problems

__all__ = ["ApiError", "UserGoneError", "database_unavailable", "install", "invalid", "not_found", "not_valid"]

_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}


class ApiError(StandardizedAPIException):
    """Ends a request with a status, a code and a message."""

    def __init__(self, status: int, code: str, message: str, details: JSON = None) -> None:
        """Take what the client is told."""
        super().__init__(message, status=status, code=code, details=details, headers=_HEADERS.get(status))
        self.kind = of_status(status) or self.kind


class UserGoneError(ApiError):
    """The user was deleted while their token still lasts."""

    def __init__(self) -> None:
        """Tell the client to log in."""
        super().__init__(401, "AUTHENTICATION_REQUIRED", "this user no longer exists")


def not_found(what: str) -> ApiError:
    """Return the error for something that is not there, or not the caller's."""
    return ApiError(404, "RESOURCE_NOT_FOUND", f"{what} was not found")


def invalid(error: ValueError) -> ApiError:
    """Return the error for a value that only the domain could judge."""
    return ApiError(422, ValidationError.code, str(error))


def not_valid(error: pydantic.ValidationError) -> ApiError:
    """Return the error for input that does not fit its model."""
    return ApiError(422, ValidationError.code, "the input is not valid", problems(error.errors()))


def database_unavailable() -> ApiError:
    """Return the error for a database that does not answer."""
    error = ApiError(503, "DATABASE_UNAVAILABLE", "the database is not available now")
    error.kind = Kind(Category.DATABASE, DatabaseError.kind.severity)
    return error
