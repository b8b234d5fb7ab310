"""Routes, all under /api."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from app.api import (
    analytics,
    auth,
    budgets,
    bulk,
    calendar,
    goals,
    google,
    insights,
    notifications,
    password_reset,
    purchases,
    receipts,
    sessions,
    transactions,
    users,
)


class ErrorDetail(BaseModel):
    """What went wrong with one field."""

    field: str
    problem: str


class Error(BaseModel):
    """What went wrong: a code for programs, a message for people, an id for whoever is asked about it."""

    code: str
    message: str
    error_id: str
    timestamp: datetime
    details: list[ErrorDetail] = Field(default_factory=list)


class ErrorAnswer(BaseModel):
    """The body of every error: in the report's form and, to who asks for it, a problem of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    trace_id: str | None = None
    success: bool = False
    error: Error


_REASONS = {
    "4XX": "something is wrong with the request",
    "422": "the input is not valid",
    "503": "something that is needed does not work now",
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": reason} for status, reason in _REASONS.items()
}

router = APIRouter(prefix="/api", responses=_ERRORS)
for part in (
    auth,
    sessions,
    password_reset,
    google,
    users,
    bulk,
    transactions,
    receipts,
    budgets,
    insights,
    calendar,
    analytics,
    goals,
    notifications,
    purchases,
):
    router.include_router(part.router)
