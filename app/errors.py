"""Errors that clients see: a code, a message, and nothing of our insides."""

import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

logger = logging.getLogger(__name__)


class ApiError(Exception):
    """Ends a request with a status, a code and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        """Take what the client is told."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def not_found(what: str) -> ApiError:
    """Return the error for something that is not there, or not the caller's."""
    return ApiError(404, "RESOURCE_NOT_FOUND", f"{what} was not found")


def invalid(error: ValueError) -> ApiError:
    """Return the error for a value that only the domain could judge."""
    return ApiError(422, "VALIDATION_FAILED", str(error))


def body(code: str, message: str, details: object = None) -> dict[str, object]:
    """Return the body of every error answer."""
    error: dict[str, object] = {"code": code, "message": message}
    if details is not None:
        error["details"] = details
    return {"success": False, "error": error}


def install(app: FastAPI) -> None:
    """Answer errors in one form."""

    @app.exception_handler(ApiError)
    async def answer_api_error(_: Request, error: ApiError) -> JSONResponse:
        headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else None  # noqa: PLR2004 - HTTP's own number
        return JSONResponse(body(error.code, error.message), error.status, headers)

    @app.exception_handler(RequestValidationError)
    async def answer_invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        # The input itself is not repeated: it may hold a password.
        details = [{"field": ".".join(map(str, each["loc"])), "problem": each["msg"]} for each in error.errors()]
        return JSONResponse(body("VALIDATION_FAILED", "the input is not valid", details), 422)

    @app.exception_handler(HTTPException)
    async def answer_http(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(body(f"HTTP_{error.status_code}", str(error.detail)), error.status_code, error.headers)

    @app.exception_handler(Exception)
    async def answer_unexpected(_: Request, __: Exception) -> JSONResponse:
        # The server logs the traceback after this answer.
        return JSONResponse(body("INTERNAL_ERROR", "something went wrong on our side"), 500)
