"""When a call is tried again, how often and after what: checked as it is written down."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mita_otel.retries.budget import BudgetTerms
from mita_otel.retries.checks import number, whole
from mita_otel.retries.transient import is_transient, is_transient_in_database

ATTEMPTS_AT_MOST: Final = 20
LONGEST: Final = 3_600.0
"""Seconds: what is to be tried again for longer belongs into a queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of the retries of one dependency.

    Attributes:
        attempts: in all, the first one included; 1 to 20.
        base_seconds: to wait at most before the first retry, doubled for each further one; 0 to 3,600.
        cap_seconds: to wait at most before any retry; `base_seconds` to 3,600.
        timeout_seconds: after which no retry begins, counted from the call; up to 3,600, None for no such limit. A
            `Retry-After` that leads beyond it is not waited for.
        judge: says whether a failure may pass; those of connections and gateways by default.
        budget: how many retries the dependency is given in all.

    Raises:
        ValueError: a value is not allowed; the message names the field.
    """

    attempts: int = 3
    base_seconds: float = 0.1
    cap_seconds: float = 5.0
    timeout_seconds: float | None = 30.0
    judge: Callable[[Exception], bool] = is_transient
    budget: BudgetTerms = field(default_factory=BudgetTerms)

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        whole("attempts", self.attempts, most=ATTEMPTS_AT_MOST)
        number("base_seconds", self.base_seconds, least=0, most=LONGEST)
        number("cap_seconds", self.cap_seconds, least=self.base_seconds, most=LONGEST)
        if self.timeout_seconds is not None:
            number("timeout_seconds", self.timeout_seconds, least=0.001, most=LONGEST)
        if not callable(self.judge):
            raise ValueError(f"judge={self.judge!r} is not allowed: a function")  # noqa: TRY004 - as for all fields
        if not isinstance(self.budget, BudgetTerms):
            raise ValueError(f"budget={self.budget!r} is not allowed: a BudgetTerms")  # noqa: TRY004 - as above


DATABASE: Final = Policy(
    attempts=4, base_seconds=0.02, cap_seconds=1.0, timeout_seconds=10.0, judge=is_transient_in_database
)
"""For whole transactions: conflicts are over in milliseconds."""
