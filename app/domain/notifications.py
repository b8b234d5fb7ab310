"""Messages to users: what they say, and until when they are worth saying."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

DELIVERED_WITHIN = timedelta(minutes=5)
"""A message that arrives later is not sent. Source: observability report, section 7.2, tier 3."""

LONGEST_PAUSE = timedelta(minutes=1)
"""Between two attempts: five minutes then hold about nine."""


class Kind(StrEnum):
    """What messages are about: a closed set."""

    BUDGET_EXCEEDED = "budget_exceeded"
    GOAL_REACHED = "goal_reached"
    PURCHASE_CONFIRMED = "purchase_confirmed"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind of message, not a secret


class State(StrEnum):
    """Where a message is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    FAILED = "failed"


class Channel(StrEnum):
    """How a user wants to be told; with `none` messages are only kept for them to read."""

    PUSH = "push"
    EMAIL = "email"
    NONE = "none"


class Attempt(StrEnum):
    """What came of an attempt to deliver."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Message:
    """What a user is told, and what tells it from other messages of theirs."""

    kind: Kind
    key: str
    title: str
    text: str


def is_late(deadline: datetime, now: datetime) -> bool:
    """Say whether it is too late to deliver."""
    return now > deadline


def after(attempt: Attempt, attempts: int, deadline: datetime, now: datetime) -> tuple[State, datetime | None]:
    """Return a message's state after an attempt, and when to try again.

    A refused message is not tried again. The last attempt falls on the deadline, so that each message comes to an end.

    Args:
        attempt: what came of it.
        attempts: how many there were, this one included, at least 1.
        deadline: of the delivery.
        now: the time.
    """
    if attempt is Attempt.ACCEPTED:
        return State.DELIVERED, None
    if attempt is Attempt.REFUSED:
        return State.FAILED, None
    if is_late(deadline, now):
        return State.EXPIRED, None
    return State.PENDING, min(now + pause(attempts), deadline)


def pause(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts: a second, doubled each time, a minute at most."""
    return min(timedelta(seconds=2 ** min(attempts - 1, 10)), LONGEST_PAUSE)


def budget_exceeded(month: str, category: str, spent: Decimal, limit: Decimal, currency: str) -> Message:
    """Return the message about a budget that is spent; one for each category and month."""
    return Message(
        Kind.BUDGET_EXCEEDED,
        f"{Kind.BUDGET_EXCEEDED}:{month}:{category}",
        f"Your budget for {category} is spent",
        f"You have spent {spent} {currency} of {limit} {currency} on {category} in {month}.",
    )


def goal_reached(goal_id: object, name: str, target: Decimal, currency: str) -> Message:
    """Return the message about a goal that is reached; one for each target of it."""
    return Message(
        Kind.GOAL_REACHED,
        f"{Kind.GOAL_REACHED}:{goal_id}:{target.normalize():f}",
        f"You have reached your goal: {name}",
        f"You have saved {target} {currency} for {name}.",
    )


def purchase_confirmed(purchase_id: object, product: str) -> Message:
    """Return the message about a purchase."""
    return Message(
        Kind.PURCHASE_CONFIRMED,
        f"{Kind.PURCHASE_CONFIRMED}:{purchase_id}",
        "Thank you for your purchase",
        f"{product} is yours from now on.",
    )


def password_changed(at: datetime) -> Message:
    """Return the message that warns of a new password."""
    return Message(
        Kind.PASSWORD_CHANGED,
        f"{Kind.PASSWORD_CHANGED}:{at:%Y%m%dT%H%M%S.%f}",
        "Your password was changed",
        "If it was not you, ask for a new password at once. Every other device was logged out.",
    )
