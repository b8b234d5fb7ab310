"""Transactions by how they ended, and the conflicts between them."""

from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakKeyDictionary

from opentelemetry.metrics import CallbackOptions, Meter, MeterProvider, Observation

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


_STATUSES: Final = "committed", "rolled_back", "unknown"

_ended: Final[WeakKeyDictionary[MeterProvider, dict[str, int]]] = WeakKeyDictionary()
"""How transactions ended, whichever library they belong to."""


class Transactions:
    """Counts transactions in which something was executed; savepoints are parts of them.

    A number is added to, and read at the collection: a counter of the SDK takes 5 us an addition, which every
    transaction would pay. The interpreter does not interrupt a thread within such an addition.
    """

    __slots__ = ("_conflicts", "_ended")

    def __init__(self, provider: MeterProvider, meter: Meter, conflicts: Conflicts) -> None:
        self._conflicts = conflicts
        ended = _ended.get(provider)
        if ended is None:
            ended = _ended[provider] = dict.fromkeys(_STATUSES, 0)
            TRANSACTIONS.observe(meter, _reading(ended))
        self._ended = ended

    def committed(self) -> None:
        """Count a commit that the database confirmed."""
        self._ended["committed"] += 1

    def rolled_back(self) -> None:
        """Count a transaction that was undone, whoever wanted it."""
        self._ended["rolled_back"] += 1

    def not_committed(self, error: BaseException) -> None:
        """Count a commit that failed: the database undid the transaction, or was lost before it could say."""
        cause = driver_error(error)
        code = status_code(cause)
        self._conflicts.count(code)
        if code is not None and is_there(cause):
            self.rolled_back()
        else:
            self._ended["unknown"] += 1


def _reading(ended: dict[str, int]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(number, {"status": status}) for status, number in ended.items()]
