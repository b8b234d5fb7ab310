"""What telemetry says, whatever protocol brought it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

Operation = Literal["server", "sql", "redis", "http", "log", "other"]
"""What a span is about; `log` is a log record that came as a span, as Logfire sends them."""

SERVER_METRICS: Final = ("http.server.request.duration", "http.server.duration")
"""Histograms that count each request once: by the stable and by the old conventions."""
CLIENT_METRICS: Final = ("http.client.request.duration", "http.client.duration")


@dataclass(frozen=True, slots=True)
class Span:
    """A span: `kind` is the protocol's word in lower case; a child's `parent` is not empty."""

    operation: Operation
    kind: str
    name: str
    trace: str
    identity: str
    parent: str
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Log:
    """A log record: whether a trace is named, and its attributes' names."""

    linked: bool
    attributes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Points:
    """The points of one metric in one export.

    Attributes:
        counted: measurements by series, for histograms; empty for others.
        cumulative: whether they count from the start of the process, not from the last export.
    """

    name: str
    number: int
    attributes: frozenset[str]
    counted: dict[str, int]
    cumulative: bool


@dataclass(slots=True)
class Telemetry:
    """What arrived within some time."""

    spans: list[Span] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    points: list[Points] = field(default_factory=list)

    def add(self, other: "Telemetry") -> None:
        """Take in what arrived at another time."""
        self.spans += other.spans
        self.logs += other.logs
        self.points += other.points

    def log_records(self) -> int:
        """Return how many log records arrived, those that came as spans included."""
        return len(self.logs) + sum(span.operation == "log" for span in self.spans)

    def measured(self, names: Iterable[str]) -> int:
        """Return how many measurements the histograms of these names hold, the process's life long."""
        total = 0
        latest: dict[tuple[str, str], int] = {}
        for points in self.points:
            if points.name in names:
                for series, count in points.counted.items():
                    if points.cumulative:
                        latest[points.name, series] = count
                    else:
                        total += count
        return total + sum(latest.values())
