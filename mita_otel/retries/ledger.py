"""What retries have done in this process, by dependency; the budget is kept with it."""

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final

from mita_otel.retries import budget
from mita_otel.retries.backoff import typical
from mita_otel.retries.budget import BudgetTerms
from mita_otel.retries.decision import Reason

DEPENDENCIES_AT_MOST: Final = 64
"""Of one registry: retries are for a dependency, never for a request, and each has a dozen series."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_.:-]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Statistics:
    """What was done for one dependency.

    Attributes:
        calls: begun.
        attempts: begun, first ones included.
        successes: attempts that succeeded.
        failures: attempts that failed.
        retries: attempts that were not the first.
        amplification: attempts a call, 1 and above; 1 without a call.
        waited: seconds between attempts.
        exhausted: calls that ended with a failure which may pass, by why.
        budget: retries that are left.
        typical: seconds that a successful attempt takes; None before the first.
    """

    calls: int
    attempts: int
    successes: int
    failures: int
    retries: int
    amplification: float
    waited: float
    exhausted: dict[str, int]
    budget: float
    typical: float | None


class Ledger:
    """Counts for one dependency, and holds its budget. Threads and event loops share it.

    Numbers are added to, and read at the collection; the interpreter does not interrupt a thread within an addition.

    Args:
        name: of the dependency.
        terms: of its budget.
    """

    __slots__ = (
        *("_balance", "_lock", "calls", "cancelled", "exhausted", "failures", "name", "retries", "successes", "terms"),
        *("typical", "waited"),
    )

    def __init__(self, name: str, terms: BudgetTerms) -> None:
        self.name = name
        self.terms = terms
        self.calls = 0
        self.retries = 0
        self.successes = 0
        self.failures = 0
        self.cancelled = 0
        self.waited = 0.0
        self.exhausted = dict.fromkeys(Reason, 0)
        self.typical: float | None = None
        self._balance = budget.opened(terms, monotonic())
        self._lock = threading.Lock()

    def succeeded(self, seconds: float) -> None:
        """Count an attempt that took so long."""
        self.successes += 1
        self.typical = typical(self.typical, seconds)

    def buys_retry(self) -> bool:
        """Take a retry from the budget; say whether there was one."""
        with self._lock:
            self._balance, granted = budget.asked(self.terms, self._balance, self.calls, monotonic())
            return granted

    def tokens(self) -> float:
        """Return the retries that the budget has left."""
        return budget.settled(self.terms, self._balance, self.calls, monotonic()).tokens

    def statistics(self) -> Statistics:
        """Return what was done so far."""
        calls, retries = self.calls, self.retries
        return Statistics(
            calls=calls,
            attempts=calls + retries,
            successes=self.successes,
            failures=self.failures,
            retries=retries,
            amplification=1 + retries / calls if calls else 1.0,
            waited=self.waited,
            exhausted={reason.value: number for reason, number in self.exhausted.items()},
            budget=self.tokens(),
            typical=self.typical,
        )


class Registry:
    """Ledgers by the names of their dependencies."""

    __slots__ = ("_ledgers", "_lock")

    def __init__(self) -> None:
        self._ledgers: dict[str, Ledger] = {}
        self._lock = threading.Lock()

    def ledger(self, name: str, terms: BudgetTerms) -> Ledger:
        """Return the ledger of a dependency, however many policies there are for it.

        Raises:
            ValueError: the name is not allowed, there are too many, or it has another budget.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"name={name!r} is not allowed: a lower-case letter, then at most 62 more, digits, '_', '.', ':', '-'"
            )
        with self._lock:
            known = self._ledgers.get(name)
            if known is None:
                if len(self._ledgers) >= DEPENDENCIES_AT_MOST:
                    raise ValueError(
                        f"name={name!r} is not allowed: there are {DEPENDENCIES_AT_MOST} dependencies; one name for"
                        " each is enough, one for each request is a leak"
                    )
                known = self._ledgers[name] = Ledger(name, terms)
            if known.terms != terms:
                raise ValueError(f"budget={terms!r} is not allowed: {name!r} has {known.terms!r}, and has one only")
            return known

    def statistics(self) -> dict[str, Statistics]:
        """Return what was done so far, by dependency."""
        return {ledger.name: ledger.statistics() for ledger in self}

    def __iter__(self) -> Iterator[Ledger]:
        return iter(list(self._ledgers.values()))


REGISTRY: Final = Registry()
"""The dependencies of this process."""
