"""Whether to try again, and after how long: the judgement alone, without a clock and without chance."""

from enum import StrEnum
from math import inf
from typing import NamedTuple

from mita_otel.retries.backoff import full_jitter
from mita_otel.retries.policy import Policy


class Reason(StrEnum):
    """Why a failure that may pass was not tried again."""

    ATTEMPTS = "attempts"
    TIMEOUT = "timeout"
    BUDGET = "budget"
    CIRCUIT_OPEN = "circuit_open"
    NOT_IDEMPOTENT = "not_idempotent"


class Failure(NamedTuple):
    """What is known when an attempt has failed.

    Attributes:
        retries: made so far.
        elapsed: seconds since the call began.
        left: seconds until the deadline, `inf` without one.
        typical: seconds that an attempt takes, as far as is known.
        may_repeat: whether the call does the same if it is done twice, or has not been done.
        is_refused: whether it was a breaker that refused it.
        asked_to_wait: seconds that the dependency wants to be left alone; 0 if it does not say.
    """

    retries: int
    elapsed: float
    left: float = inf
    typical: float = 0.0
    may_repeat: bool = True
    is_refused: bool = False
    asked_to_wait: float = 0.0


def judged(policy: Policy, failure: Failure, draw: float) -> float | Reason:
    """Return the seconds to wait before the next attempt, or why there is none; the budget is asked afterwards.

    A retry that would end after the deadline does not begin: nobody is there any more to use what it brings.

    Args:
        policy: its rules.
        failure: what has happened.
        draw: a number by chance, 0 to 1.
    """
    if failure.is_refused:
        return Reason.CIRCUIT_OPEN
    if not failure.may_repeat:
        return Reason.NOT_IDEMPOTENT
    if failure.retries + 1 >= policy.attempts:
        return Reason.ATTEMPTS
    # After the time that was asked for, and not all at once.
    wait = failure.asked_to_wait + full_jitter(policy.base_seconds, policy.cap_seconds, failure.retries, draw)
    if failure.left < wait + failure.typical:
        return Reason.TIMEOUT
    if policy.timeout_seconds is not None and failure.elapsed + wait > policy.timeout_seconds:
        return Reason.TIMEOUT
    return wait
