"""Retries that a dependency can bear, and deadlines that everything knows which runs for a request.

from mita_otel.retries import Retry, TimeLimit

rates = Retry("rates")

@rates
async def euro() -> Decimal:
    async with TimeLimit(2.0):
        ...
"""

from mita_otel.retries.budget import BudgetTerms
from mita_otel.retries.deadline import Deadline, OutOfTimeError, TimeLimit, check, has_passed, remaining
from mita_otel.retries.decision import Reason
from mita_otel.retries.ledger import REGISTRY, Registry, Statistics
from mita_otel.retries.policy import DATABASE, Policy
from mita_otel.retries.report import report
from mita_otel.retries.retry import Retry
from mita_otel.retries.transactions import Transactions
from mita_otel.retries.transient import (
    UnknownOutcomeError,
    is_idempotent,
    is_transient,
    is_transient_in_database,
    sqlstate,
)

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
