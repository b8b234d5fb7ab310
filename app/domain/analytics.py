"""When totals that were added up a while ago still tell the truth."""

from datetime import datetime, timedelta
from decimal import Decimal

FRESH = timedelta(minutes=5)
"""Totals older than this are called stale. Source: observability report, section 7.1, freshness."""

REFRESHED = timedelta(minutes=4)
"""Totals in use are added up again so often: a minute before they would be stale."""

DORMANT = timedelta(days=1)
"""Totals of users who have neither changed nor asked for anything so long are left alone until they do."""


def age(as_of: datetime, now: datetime) -> timedelta:
    """Return how old totals are; zero where the clock was set back since."""
    return max(now - as_of, timedelta(0))


def is_stale(as_of: datetime, now: datetime, *, changes_waiting: bool) -> bool:
    """Say whether totals may differ from the truth.

    Args:
        as_of: when they were added up.
        now: the time; earlier than `as_of` by more than a moment only if the clock was set back, and then nobody knows.
        changes_waiting: whether something has changed that they do not contain.
    """
    return changes_waiting or age(as_of, now) > FRESH or as_of - now > FRESH


def next_refresh(used_at: datetime, now: datetime) -> datetime | None:
    """Return when totals are to be added up again if nothing changes; None for those that nobody uses."""
    return now + REFRESHED if now - used_at < DORMANT else None


def share(part: Decimal, whole: Decimal) -> Decimal:
    """Return a part of a whole in percent with one decimal place; 0 of nothing, as of coins too small to convert."""
    return Decimal("0.0") if whole == 0 else (part * 100 / whole).quantize(Decimal("0.1"))
