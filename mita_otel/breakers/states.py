"""The words of a circuit breaker: its states, why it changes them, how calls end."""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """What a breaker does with calls. Source: resilience4j, whose names these are."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    FORCED_OPEN = "forced_open"
    DISABLED = "disabled"
    METRICS_ONLY = "metrics_only"


class Override(StrEnum):
    """What an operator may put in the place of a breaker's own judgement."""

    FORCED_OPEN = "forced_open"
    DISABLED = "disabled"
    METRICS_ONLY = "metrics_only"


class Reason(StrEnum):
    """Why a breaker changed its state."""

    FAILURES = "failures"
    FAILURE_RATE = "failure_rate"
    SLOW_RATE = "slow_rate"
    WAIT_OVER = "wait_over"
    PROBE_FAILED = "probe_failed"
    PROBES_SUCCEEDED = "probes_succeeded"
    SHARED = "shared"
    OPERATOR = "operator"
    LIBRARY = "library"


class Outcome(StrEnum):
    """How a call ended; what is ignored says nothing about the dependency."""

    SUCCESS = "success"
    FAILURE = "failure"
    SLOW_SUCCESS = "slow_success"
    SLOW_FAILURE = "slow_failure"
    REJECTED = "rejected"
    IGNORED = "ignored"


FAILED: Final = (Outcome.FAILURE, Outcome.SLOW_FAILURE)
SUCCEEDED: Final = (Outcome.SUCCESS, Outcome.SLOW_SUCCESS)
