"""What the three APIs' searches for traces have in common."""

import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from mita_otel.console.api.parameters import ParameterError
from mita_otel.console.reading.budget import Budget
from mita_otel.console.reading.reader import Reader
from mita_otel.console.reading.trace import Trace, trace_of
from mita_otel.console.reading.traces import TraceQuery, find_traces
from mita_otel.console.reading.walk import HIGHEST_ID, Stretch

BUDGET: Final = 0.045
"""Seconds for one step of a search: then it answers, or lets others take their turn."""
SPANS_LIMIT: Final = 50_000
"""Spans from which on an answer gets no further traces."""
PATIENCE: Final = 20.0
"""Seconds after which a search that has no steps for its client answers with what it has."""


@dataclass(frozen=True, slots=True)
class Search:
    """Ids of the traces that were found, those that were received last first, and whether all was searched."""

    traces: list[bytes]
    is_complete: bool


async def search_all(reader: Reader, query: TraceQuery, limit: int) -> Search:
    """Search step by step, each on a snapshot of its own, until `limit` traces are found or all is searched."""
    found: dict[bytes, None] = {}
    before: int | None = HIGHEST_ID
    end = time.monotonic() + PATIENCE
    while before is not None and len(found) < limit and time.monotonic() < end:
        at, missing = before, limit - len(found)
        page = await reader.ask(
            lambda connection, at=at, missing=missing: find_traces(  # type: ignore[misc] # the loop's own values
                connection, query, limit=missing, budget=Budget(BUDGET), before=at
            )
        )
        found |= dict.fromkeys(page.traces)
        before = page.next
    return Search(list(found), is_complete=before is None or len(found) >= limit)


def read_traces(connection: sqlite3.Connection, ids: Iterable[bytes]) -> Iterator[tuple[bytes, Trace | None]]:
    """Yield traces with their ids, None for those that are not there, until some ten thousand spans are read."""
    spans = 0
    for id_ in ids:
        trace = trace_of(connection, id_)
        spans += len(trace.spans) if trace else 0
        yield id_, trace
        if spans >= SPANS_LIMIT:
            return


def check_order(low: int | None, high: int | None, names: tuple[str, str]) -> None:
    """Refuse a lower bound that is above the upper one.

    Raises:
        ParameterError: it is; `names` are those of the parameters.
    """
    if low is not None and high is not None and low > high:
        raise ParameterError(names[1], str(high), f"at least {names[0]}, which is {low} microseconds")


def stretch_of(start: int | None, end: int | None, names: tuple[str, str] = ("start", "end")) -> Stretch:
    """Return a stretch of time, in microseconds.

    Raises:
        ParameterError: it ends before it begins.
    """
    check_order(start, end, names)
    return Stretch(start, end)
