"""Transactions by how they ended, and the conflicts between them."""

from typing import Final

from opentelemetry.metrics import Meter

from mita_otel.libraries.link import driver_error, is_there, status_code
from mita_otel.metrics.catalogue.database import DEADLOCKS, SERIALIZATION_FAILURES, TRANSACTIONS
from mita_otel.metrics.recording import Total

_DEADLOCK: Final = "40P01"
_SERIALIZATION_FAILURE: Final = "40001"
"""Source: PostgreSQL, "Error Codes": deadlock_detected, serialization_failure."""


class Conflicts:
    """Counts the errors that tell of another transaction, by SQLSTATE."""

    __slots__ = ("_deadlocks", "_serialization_failures")

    def __init__(self, meter: Meter) -> None:
        self._deadlocks = Total(DEADLOCKS, meter)
        self._serialization_failures = Total(SERIALIZATION_FAILURES, meter)

    def count(self, code: str | None) -> None:
        """Count a failed statement or commit."""
        if code == _DEADLOCK:
            self._deadlocks.add()
        elif code == _SERIALIZATION_FAILURE:
            self._serialization_failures.add()


class Transactions:
    """Counts transactions in which something was executed; savepoints are parts of them."""

    __slots__ = ("_conflicts", "_total")

    def __init__(self, meter: Meter, conflicts: Conflicts) -> None:
        self._total = Total(TRANSACTIONS, meter)
        self._conflicts = conflicts

    def committed(self) -> None:
        """Count a commit that the database confirmed."""
        self._total.add(status="committed")

    def rolled_back(self) -> None:
        """Count a transaction that was undone, whoever wanted it."""
        self._total.add(status="rolled_back")

    def not_committed(self, error: BaseException) -> None:
        """Count a commit that failed: the database undid the transaction, or was lost before it could say."""
        cause = driver_error(error)
        code = status_code(cause)
        self._conflicts.count(code)
        if code is not None and is_there(cause):
            self.rolled_back()
        else:
            self._total.add(status="unknown")
