"""How long to wait before a retry.

Source: AWS Architecture Blog, "Exponential Backoff And Jitter": full jitter, `U(0, min(cap, base * 2^n))`, makes the
fewest calls in all, for clients that failed together do not come back together.
"""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

STEPS: Final = 60
"""Doublings, after which every wait is at its cap; more would overflow a float."""

LEARNING: Final = 0.125
"""Share by which the typical duration moves towards each that it sees. Source: RFC 6298, for round trips."""

_LONGEST: Final = 64
"""Characters of a header that are looked at."""


def full_jitter(base: float, cap: float, retries: int, draw: float) -> float:
    """Return the seconds to wait.

    Args:
        base: seconds at most before the first retry.
        cap: seconds at most before any.
        retries: made so far, 0 and above.
        draw: a number by chance, 0 to 1.
    """
    return draw * min(cap, base * 2.0 ** min(retries, STEPS))


def retry_after(value: str, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` asks to wait, 0 and above; None if it says nothing sensible.

    Args:
        value: seconds, or a date. Source: RFC 9110, section 10.2.3.
        now: with its time zone; dates are compared with it.
    """
    text = value.strip()
    if not text or len(text) > _LONGEST or not text.isascii():
        return None
    if text.isdigit():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError, OverflowError):  # no date, or one without a time zone
        return None


def typical(before: float | None, seconds: float) -> float:
    """Return what an attempt takes, in seconds, after one more was seen: an outlier counts as twice what was known."""
    if before is None:
        return seconds
    return before + LEARNING * (min(seconds, 2 * before + 0.001) - before)
