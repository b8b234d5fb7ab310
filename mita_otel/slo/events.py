"""What counts as what: requests as they end, and what the service tells of by name.

from mita_otel import slo

slo.event("notifications", good=delivered_at - created_at <= timedelta(minutes=5))
"""

import logging
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from math import inf
from typing import Final, NamedTuple

from mita_otel.slo.counts import Counts
from mita_otel.slo.ledger import Ledger
from mita_otel.slo.specification import Slo

CLIENT_CLOSED_REQUEST: Final = 499
"""What proxies write down of a client that did not wait."""

NOBODYS: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS.value, CLIENT_CLOSED_REQUEST})
"""Statuses that say nothing of the service: a limit that held, and a client that left."""

PLANS_AT_MOST: Final = 4_096
"""Methods, routes and statuses for which is remembered what they belong to: a thousand routes with four statuses."""

_NAMES_AT_MOST: Final = 100
_logger: Final = logging.getLogger("mita_otel.slo")


class Plan(NamedTuple):
    """What a request of one method, route and status belongs to.

    Attributes:
        cells: of the objectives for which its time does not matter.
        timed: seconds that it may take, and the cell of those that took no longer.
        bad: places of the objectives for which it is bad, however long it took.
        strictest: seconds above which it is bad for some objective.
    """

    cells: tuple[int, ...] = ()
    timed: tuple[tuple[float, int], ...] = ()
    bad: tuple[int, ...] = ()
    strictest: float = inf


_NOWHERE: Final = Plan()


class Events:
    """Counts events for all objectives.

    Which ones a request belongs to is worked out once for each method, route and status.

    Args:
        slos: the objectives.
        counts: takes the events; has as many objectives.
        ledger: is told why budgets are spent.
    """

    __slots__ = ("_counts", "_ledger", "_named", "_plans", "_slos", "_told")

    def __init__(self, slos: Sequence[Slo], counts: Counts, ledger: Ledger | None = None) -> None:
        self._ledger = ledger or Ledger([slo.id for slo in slos])
        self._slos = tuple(slos)
        self._counts = counts
        self._plans: dict[tuple[str, str, int], Plan] = {}
        self._named = _by_name(self._slos)
        self._told: set[str] = set()

    def request(
        self, method: str, route: str, status: int, seconds: float, failure: BaseException | None = None
    ) -> None:
        """Count a request that has ended.

        Args:
            method: of HTTP.
            route: its whole template; empty where none was found.
            status: of the answer; 500 for one that failed before its end.
            seconds: until the answer was complete.
            failure: what left the application.
        """
        key = (method, route, status)
        plan = self._plans.get(key)
        if plan is None:
            plan = plan_of(self._slos, method, route, status)
            if len(self._plans) < PLANS_AT_MOST:
                self._plans[key] = plan
        if plan is not _NOWHERE:
            self._counts.add_timed(plan.cells, plan.timed, seconds)
            if seconds > plan.strictest:
                bad = plan.bad or tuple([good // 2 for limit, good in plan.timed if seconds > limit])
                self._ledger.request(bad, route, status, seconds, failure)

    def event(self, name: str, *, good: bool) -> None:
        """Count an event; one that no objective is about is logged once."""
        cells = self._named.get(name)
        if cells is not None:
            self._counts.add(cells[not good])
            if not good:
                self._ledger.event(tuple(cell // 2 for cell in cells[1]), name)
        elif name not in self._told and len(self._told) < _NAMES_AT_MOST:
            self._told.add(name)
            _logger.warning("no objective is about the event %r: it is not counted", name)


def plan_of(slos: Iterable[Slo], method: str, route: str, status: int) -> Plan:
    """Return what a request belongs to.

    | a request that ended with | availability | latency |
    |---|---|---|
    | a status below 400 | good | good if it took no longer than the threshold, else bad |
    | another status below 500 | good | not counted: mistakes are answered fast |
    | 429, 499, or no answer as the client left | not counted | not counted |
    | 500 and above, 503 for shed load among them, or an exception | bad | not counted: an error is no fast answer |
    | below 500, without a route, as scanners' | not counted | not counted |
    """
    is_error = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if status in NOBODYS or (not route and not is_error):
        return _NOWHERE
    cells: list[int] = []
    timed: list[tuple[float, int]] = []
    for index, slo in enumerate(slos):
        if slo.routes is None or not slo.routes.match(method, route):
            continue
        if slo.threshold is None:
            cells.append(2 * index + is_error)
        elif status < HTTPStatus.BAD_REQUEST:
            timed.append((slo.threshold, 2 * index))
    if not cells and not timed:
        return _NOWHERE
    bad = tuple(cell // 2 for cell in cells if cell % 2)
    strictest = -inf if bad else min((limit for limit, _ in timed), default=inf)
    return Plan(tuple(cells), tuple(timed), bad, strictest)


def _by_name(slos: Sequence[Slo]) -> dict[str, tuple[tuple[int, ...], tuple[int, ...]]]:
    """Return the cells of good and of bad events by their name."""
    about: dict[str, list[int]] = {}
    for index, slo in enumerate(slos):
        for name in slo.events:
            about.setdefault(name, []).append(2 * index)
    return {name: (tuple(cells), tuple(cell + 1 for cell in cells)) for name, cells in about.items()}
