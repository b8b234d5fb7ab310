"""The time."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Tells the time in UTC; a test's clock may stand still, or be set back."""


def utc_now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)
