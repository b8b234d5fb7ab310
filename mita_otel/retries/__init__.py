"""Retries that a dependency can bear, and deadlines that everything knows which runs for a request.

from mita_otel.retries import Retry, TimeLimit

rates = Retry("rates")

@rates
async def euro() -> Decimal:
    async with TimeLimit(2.0):
        ...
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mita_otel.retries.deadline import Deadline, OutOfTimeError, TimeLimit, check, has_passed, remaining
from mita_otel.retries.transient import (
    UnknownOutcomeError,
    is_idempotent,
    is_transient,
    is_transient_in_database,
    sqlstate,
)

if TYPE_CHECKING:
    from mita_otel.retries.budget import BudgetTerms
    from mita_otel.retries.decision import Reason
    from mita_otel.retries.figures import report
    from mita_otel.retries.ledger import REGISTRY, Registry, Statistics
    from mita_otel.retries.policy import DATABASE, Policy
    from mita_otel.retries.retry import Retry
    from mita_otel.retries.transactions import Transactions

__all__ = [
    "DATABASE",
    "REGISTRY",
    "BudgetTerms",
    "Deadline",
    "OutOfTimeError",
    "Policy",
    "Reason",
    "Registry",
    "Retry",
    "Statistics",
    "TimeLimit",
    "Transactions",
    "UnknownOutcomeError",
    "check",
    "has_passed",
    "is_idempotent",
    "is_transient",
    "is_transient_in_database",
    "remaining",
    "report",
    "sqlstate",
]

_LATER = {
    "BudgetTerms": "budget",
    "Reason": "decision",
    "report": "figures",
    **dict.fromkeys(("REGISTRY", "Registry", "Statistics"), "ledger"),
    **dict.fromkeys(("DATABASE", "Policy"), "policy"),
    "Retry": "retry",
    "Transactions": "transactions",
}
"""What a service that retries nothing, and only has deadlines, shall not wait for at its start."""


def __getattr__(name: str) -> Any:
    """Import what is asked for the first time."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"mita_otel.retries.{_LATER[name]}"), name)
