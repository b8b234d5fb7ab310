"""Errors that clients see: a code, a message, and nothing of our insides."""

import logging
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

logger = logging.getLogger(__name__)


class ApiError(Exception):
    """Ends a request with a status, a code and a message."""

    def __init__(self, status: int, code: str, message: str, details: list[dict[str, str]] | None = None) -> None:
        """Take what the client is told."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details


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
    return ApiError(422, "VALIDATION_FAILED", str(error))


def problems(errors: Sequence[Any]) -> list[dict[str, str]]:
    """Return pydantic's errors as clients see them: the input itself is not repeated, it may hold a password."""
    return [{"field": ".".join(map(str, each["loc"])), "problem": each["msg"]} for each in errors]


def body(code: str, message: str, details: object = None) -> dict[str, object]:
    """Return the body of every error answer."""
    error: dict[str, object] = {"code": code, "message": message}
    if details is not None:
        error["details"] = details
    return {"success": False, "error": error}


def _headers(status: int) -> dict[str, str] | None:
    return {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(status)


def install(app: FastAPI) -> None:
    """Answer errors in one form."""

    @app.exception_handler(ApiError)
    async def answer_api_error(_: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(body(error.code, error.message, error.details), error.status, _headers(error.status))

    @app.exception_handler(RequestValidationError)
    async def answer_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse(body("VALIDATION_FAILED", "the input is not valid", problems(error.errors())), 422)

    @app.exception_handler(HTTPException)
    async def answer_http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(body(f"HTTP_{error.status_code}", str(error.detail)), error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def answer_unexpected(_: Request, __: Exception) -> JSONResponse:
        # The server logs the traceback after this answer.
        return JSONResponse(body("INTERNAL_ERROR", "something went wrong on our side"), 500)
