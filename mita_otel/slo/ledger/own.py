"""What a process knows itself of who spent its objectives' budgets."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mita_otel.slo.budget import Count
from mita_otel.slo.counts import Cells, count_of
from mita_otel.slo.history import History
from mita_otel.slo.ledger.causes import DIMENSIONS
from mita_otel.slo.ledger.explanation import Account, beginning, chosen, explanation
from mita_otel.slo.ledger.ledger import Ledger
from mita_otel.slo.specification import Slo


class Seen(NamedTuple):
    """What a process has seen.

    Attributes:
        slos: its objectives.
        ledger: who spent their budgets.
        history: events by time.
        cells: events until now.
        now: seconds since the epoch.
    """

    slos: Sequence[Slo]
    ledger: Ledger
    history: History
    cells: Cells
    now: float

    def explained(self, name: str | None, window: str | None, traces: str | None) -> dict[str, Any]:
        """Return who spent the budgets.

        Args:
            name: id of the objective that is asked about; None for all.
            window: as `6h`; None for the periods of the objectives.
            traces: address of a trace, with `{trace_id}`.

        Raises:
            LookupError: there is no objective of that name.
            ValueError: the window is none.
        """
        asked = {slo.id for slo in chosen(self.slos, name)}
        begins = {slo.id: beginning(slo, window, self.now) for slo in self.slos if slo.id in asked}
        accounts = [account for begin in set(begins.values()) for account in self._accounts(begin, begins)]
        return explanation(accounts, source="process", scope="process", now=self.now, window=window, traces=traces)

    def _accounts(self, begin: float, begins: Mapping[str, float]) -> Iterator[Account]:
        """Yield the accounts of the objectives of which the time that is asked for begins at a moment."""
        spent = self.ledger.since(begin)
        past = self.history.since(self.now, spent.since, self.cells)
        for index, slo in enumerate(self.slos):
            contributions = spent.spent.get(index)
            if begins.get(slo.id) == begin and contributions is not None:
                # The ledger's own sum: an event that comes just now may be counted and not written down yet.
                bad = sum(each.bad for each in contributions[DIMENSIONS[0]])
                count = Count(count_of(past.cells, index).good, bad)
                yield Account(slo, spent.since, self.now, past.coverage, count, contributions)
