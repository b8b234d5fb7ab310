"""Errors of one origin, gathered: how often, since when, since which version, and examples to look at."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from mita_otel.errors.taxonomy import Kind, Severity
from mita_otel.errors.thresholds import THRESHOLDS, Watch, is_graver

GROUPS_AT_MOST: Final = 1000
"""Groups that a process keeps, of some 3 KB each; beyond, the ones that have been quiet longest are forgotten."""

IDS_AT_MOST: Final = 10_000
"""Ids of errors that can still be asked for in this process."""

EXAMPLES: Final = 3
"""Traces that a group points to: the newest."""

MINUTES: Final = 60
"""Minutes that a group counts one by one."""

_MINUTE: Final = 60.0
_RECENT: Final = 10
"""Minutes that are compared with as many before them."""

Trend = Literal["rising", "steady", "falling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One error of one request.

    Attributes:
        error_id: what the client was told.
        fingerprint: of its origin.
        code: what the client was told, too.
        type: name of the exception's class.
        kind: category and severity.
        at: seconds since the epoch.
        version: of the service.
        trace_id: of the request, 32 hexadecimal digits; empty where it was not traced.
        route: template of the request's path.
    """

    error_id: str
    fingerprint: str
    code: str
    type: str
    kind: Kind
    at: float
    version: str = ""
    trace_id: str = ""
    route: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What is to be told: a threshold was reached.

    Attributes:
        severity: whose threshold it was.
        occurrence: that reached it.
        since_last: occurrences of the group since the last alert, this one included.
        cools_for: seconds of silence that follow.
    """

    severity: Severity
    occurrence: Occurrence
    since_last: int
    cools_for: float


@dataclass(slots=True)
class Group:
    """Errors of one origin in this process; see `summary` for what its fields mean."""

    first: Occurrence
    last: Occurrence
    severity: Severity
    count: int = 0
    since_alert: int = 0
    traces: deque[str] = field(default_factory=lambda: deque(maxlen=EXAMPLES))
    minutes: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=MINUTES))
    watch: Watch = field(default_factory=Watch)

    def add(self, occurrence: Occurrence) -> None:
        """Count an occurrence."""
        self.last = occurrence
        self.count += 1
        self.since_alert += 1
        if is_graver(occurrence.kind.severity, self.severity):
            self.severity = occurrence.kind.severity
        if occurrence.trace_id:
            self.traces.append(occurrence.trace_id)
        minute = int(occurrence.at // _MINUTE)
        if self.minutes and self.minutes[-1][0] == minute:
            self.minutes[-1] = (minute, self.minutes[-1][1] + 1)
        else:
            self.minutes.append((minute, 1))

    def per_minute(self, now: float) -> list[int]:
        """Return the occurrences of the last 60 minutes, oldest first, the current one last."""
        current = int(now // _MINUTE)
        counts = dict(self.minutes)
        return [counts.get(current - ago, 0) for ago in reversed(range(MINUTES))]

    def trend(self, now: float) -> Trend:
        """Say whether the last ten minutes had more than the ten before: by half at least, and by more than chance."""
        minutes = self.per_minute(now)
        recent, before = sum(minutes[-_RECENT:]), sum(minutes[-2 * _RECENT : -_RECENT])
        # Of counts that come at random the difference has about this standard deviation, twice.
        noise = 2 * (recent + before) ** 0.5
        if abs(recent - before) <= max(noise, min(recent, before) / 2):
            return "steady"
        return "rising" if recent > before else "falling"


class Groups:
    """All groups of a process, and the ids of their last errors. Safe with threads."""

    __slots__ = ("_clock", "_groups", "_ids", "_lock", "forgotten")

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a clock in seconds that does not go back."""
        self._clock = clock
        self._groups: OrderedDict[str, Group] = OrderedDict()
        self._ids: OrderedDict[str, Occurrence] = OrderedDict()
        self._lock = threading.Lock()
        self.forgotten = 0

    def occurred(self, occurrence: Occurrence) -> Alert | None:
        """Gather an occurrence; return the alert that it calls for."""
        with self._lock:
            group = self._group(occurrence)
            group.add(occurrence)
            self._ids[occurrence.error_id] = occurrence
            if len(self._ids) > IDS_AT_MOST:
                self._ids.popitem(last=False)
            return self._alert(group, occurrence)

    def of_error(self, error_id: str) -> tuple[Occurrence, Group] | None:
        """Return an error and its group, if this process still knows it."""
        with self._lock:
            occurrence = self._ids.get(error_id)
            group = self._groups.get(occurrence.fingerprint) if occurrence else None
            return (occurrence, group) if occurrence and group else None

    def __len__(self) -> int:
        return len(self._groups)

    def _group(self, occurrence: Occurrence) -> Group:
        group = self._groups.get(occurrence.fingerprint)
        if group is None:
            group = self._groups[occurrence.fingerprint] = Group(occurrence, occurrence, occurrence.kind.severity)
            if len(self._groups) > GROUPS_AT_MOST:
                self._groups.popitem(last=False)
                self.forgotten += 1
        self._groups.move_to_end(occurrence.fingerprint)
        return group

    def _alert(self, group: Group, occurrence: Occurrence) -> Alert | None:
        severity = group.watch.occurred(occurrence.kind.severity, self._clock())
        if severity is None:
            return None
        since, group.since_alert = group.since_alert, 0
        return Alert(severity=severity, occurrence=occurrence, since_last=since, cools_for=THRESHOLDS[severity].seconds)
