"""Panels in few words."""

from collections.abc import Mapping
from typing import TypedDict, Unpack

from mita_otel.dashboards.model import Panel, Query, Steps


class Style(TypedDict, total=False):
    """What a panel may have beside its title, its description and its queries; as `Panel` says."""

    unit: str
    width: int
    height: int
    steps: Steps
    stacked: bool
    decimals: int
    most: float
    from_zero: bool
    words: Mapping[float, tuple[str, str]]
    headings: Mapping[str, str]
    leads: Mapping[str, tuple[str, str]]
    since: str
    next: str


def chart(title: str, description: str, *queries: Query, **style: Unpack[Style]) -> Panel:
    """Return a course over time."""
    return Panel(kind="timeseries", title=title, description=description, queries=queries, **style)


def number(title: str, description: str, *queries: Query, **style: Unpack[Style]) -> Panel:
    """Return one number, small."""
    style.setdefault("width", 4)
    style.setdefault("height", 5)
    return Panel(kind="stat", title=title, description=description, queries=queries, **style)


def bars(title: str, description: str, *queries: Query, **style: Unpack[Style]) -> Panel:
    """Return a bar for each series."""
    return Panel(kind="bargauge", title=title, description=description, queries=queries, **style)


def table(title: str, description: str, *queries: Query, **style: Unpack[Style]) -> Panel:
    """Return a row for each set of labels, and a column for each query."""
    return Panel(kind="table", title=title, description=description, queries=queries, **style)


def timeline(title: str, description: str, *queries: Query, **style: Unpack[Style]) -> Panel:
    """Return states over time."""
    return Panel(kind="state-timeline", title=title, description=description, queries=queries, **style)


def heatmap(title: str, description: str, *queries: Query, **style: Unpack[Style]) -> Panel:
    """Return how often what was measured, over time."""
    return Panel(kind="heatmap", title=title, description=description, queries=queries, **style)


def lines(title: str, description: str, *queries: Query, **style: Unpack[Style]) -> Panel:
    """Return log lines, the newest first."""
    return Panel(kind="logs", title=title, description=description, queries=queries, **style)
