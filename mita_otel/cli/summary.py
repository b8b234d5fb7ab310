"""What a running demonstration shows: where to look, and what goes through."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import typer
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mita_otel.demo import ConsoleBackends, Demo, Totals, Traffic

_REFRESH: Final = 2.0
"""Seconds between two questions to the backends."""
_LINES: Final = 10.0
"""Seconds between two lines where no one watches a terminal."""

Update = Callable[[Traffic], None]


@contextmanager
def table(started: Demo) -> Iterator[Update]:
    """Keep a table at the bottom of the terminal up to date."""
    began = time.monotonic()
    with Live(refresh_per_second=4) as live:
        show = _every(_REFRESH, lambda traffic: live.update(_picture(started, traffic, time.monotonic() - began)))
        yield show


@contextmanager
def lines(started: Demo) -> Iterator[Update]:
    """Say once where to look, and a line every ten seconds."""
    for what, url in _places(started).items():
        typer.echo(f"{what:10} {url}")
    request = _Announced(started)

    def count(traffic: Traffic) -> None:
        totals = started.backends.totals()
        typer.echo(f"{sum(traffic.sent.values())} requests, {_told(totals)}; Ctrl-C takes everything down")

    counted = _every(_LINES, count)

    def update(traffic: Traffic) -> None:
        request.update(traffic)
        counted(traffic)

    yield update


class _Announced:
    """Names one request as soon as all of it has arrived, so that no link leads to what is still on its way."""

    def __init__(self, started: Demo) -> None:
        self._backends = started.backends
        self._chosen = ""
        self._done = False

    def update(self, traffic: Traffic) -> None:
        self._chosen = self._chosen or traffic.last_trace_id
        if self._done or not self._backends.found(self._chosen).linked:
            return
        self._done = True
        if isinstance(self._backends, ConsoleBackends):
            typer.echo(f"{'a request':10} {self._backends.page_of(self._chosen)}")
        for what, url in self._backends.queries(self._chosen).items():
            typer.echo(f"{what:10} curl '{url}'")


def _every(seconds: float, act: Update) -> Update:
    """Return `act` held back: at once the first time, and then not before so many seconds have passed."""
    due = [0.0]

    def update(traffic: Traffic) -> None:
        if time.monotonic() >= due[0]:
            act(traffic)
            due[0] = time.monotonic() + seconds

    return update


def _places(started: Demo) -> dict[str, str]:
    return {**started.backends.places, "service": f"{started.url}/docs"}


def _told(totals: Totals) -> str:
    return f"{totals.traces} traces, {totals.logs} log records, {totals.metrics} series"


def _picture(started: Demo, traffic: Traffic, seconds: float) -> Group:
    rows = Table.grid(padding=(0, 2))
    for what, url in _places(started).items():
        rows.add_row(f"[bold]{what}", Text(url, style="link " + url))
    sent = sum(traffic.sent.values())
    statuses = "  ".join(f"{status}: {count}" for status, count in sorted(traffic.sent.items()))
    rows.add_row("[bold]requests", f"{sent} ({sent / max(seconds, 1):.1f}/s)   {statuses}")
    rows.add_row("[bold]stored", _told(started.backends.totals()))
    if isinstance(started.backends, ConsoleBackends) and traffic.last_error_trace_id:
        page = started.backends.page_of(traffic.last_error_trace_id)
        rows.add_row("[bold]last error", Text(page, style="link " + page))
    return Group(rows, Text("Ctrl-C takes everything down", style="dim"))
