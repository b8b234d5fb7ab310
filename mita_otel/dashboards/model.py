"""What a dashboard is made of, in our own words; `grafana` says it in Grafana's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Source: TypeAlias = Literal["metrics", "logs"]
"""Where a query is asked: Prometheus, or Loki; the names of the variables that choose them."""

Kind: TypeAlias = Literal["timeseries", "stat", "table", "heatmap", "bargauge", "logs", "state-timeline"]
"""Panels in use, all of them current."""

Steps: TypeAlias = tuple[tuple[float | None, str], ...]
"""Colours from a value on, the first from the lowest there is."""

WIDTH: Final = 24
"""Columns of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Query:
    """One question.

    Attributes:
        expr: in PromQL, or LogQL.
        legend: of each series, with labels as `{{label}}`; of a table's column, its heading.
        source: who is asked.
        at_once: whether one value is asked for, of the end of the chosen time, and not its course.
        exemplars: whether to show traces of it.
        unit: of a table's column.
        steps: colours of a table's column.
    """

    expr: str
    legend: str = ""
    source: Source = "metrics"
    at_once: bool = False
    exemplars: bool = False
    unit: str = ""
    steps: Steps = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel.

    Attributes:
        kind: how it looks.
        title: what it shows, in a few words.
        description: what it shows, what is normal, and where the number comes from.
        queries: what is asked.
        unit: in Grafana's words.
        width: columns of 24.
        height: rows of about 30 pixels.
        steps: colours by value.
        stacked: whether series add up.
        decimals: of its numbers; as many as Grafana thinks fit if None, which are too few for 99.999 %.
        most: the end of the axis.
        from_zero: whether the axis begins there, unless something is below: not where 99.9 % differs from 99.99 %.
        words: text and colour of values that stand for something.
        headings: of a table's columns that are labels, by label.
        leads: from a table's column, by label: to a dashboard, which the value chooses by a variable.
        since: a time of its own in the place of the chosen one, such as `30d`.
        next: the dashboard to look at next.
    """

    kind: Kind
    title: str
    description: str
    queries: tuple[Query, ...]
    unit: str = "short"
    width: int = 8
    height: int = 8
    steps: Steps = ()
    stacked: bool = False
    decimals: int | None = None
    most: float | None = None
    from_zero: bool = True
    words: Mapping[float, tuple[str, str]] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)
    leads: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    since: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard.

    Attributes:
        uid: never changes.
        title: for people.
        description: when to look at it.
        variables: names of those to choose by.
        rows: top to bottom.
        time: how far back it shows at first.
    """

    uid: str
    title: str
    description: str
    variables: tuple[str, ...]
    rows: tuple[Row, ...]
    time: str = "1h"

    @property
    def panels(self) -> Iterator[Panel]:
        """Its panels, in reading order."""
        for row in self.rows:
            yield from row.panels
