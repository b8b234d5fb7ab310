"""What the audit log of this process has done, and what it could not do; each trouble is said once a minute."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeAlias
from weakref import WeakSet

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from mita_otel.metrics.catalogue.audit import BEHIND, EVENTS, FAILURES, JOURNAL_SIZE, WAITING

METER: Final = "mita_otel.audit"
LOGGER: Final = "mita_otel.audit"
STREAM: Final = {"mita.log.stream": "audit"}
"""Puts a log record into the stream of the audit log, whatever its words."""

INTERVAL: Final = 60.0
"""Seconds between two lines about one kind of failure."""

Status: TypeAlias = Literal["queued", "spooled", "written", "repeated", "recovered", "dropped"]
Reason: TypeAlias = Literal["database", "journal", "queue_full", "damaged", "partitions", "not_running", "fault"]

STATUSES: Final[tuple[Status, ...]] = ("queued", "spooled", "written", "repeated", "recovered", "dropped")
REASONS: Final[tuple[Reason, ...]] = (
    *("database", "journal", "queue_full", "damaged", "partitions", "not_running", "fault"),
)

_logger: Final = logging.getLogger(LOGGER)
_observed: Final[WeakSet[MeterProvider]] = WeakSet()


class Statistics:
    """The counts of one process; whoever counts holds the log's lock, or is its only thread.

    Attributes:
        waiting: reads how many records the database does not have yet.
        behind: reads for how many seconds that has been so.
        size: reads the bytes of the journal.
    """

    __slots__ = ("_told", "behind", "events", "failures", "size", "waiting")

    def __init__(self) -> None:
        self.events: dict[Status, int] = dict.fromkeys(STATUSES, 0)
        self.failures: dict[Reason, int] = dict.fromkeys(REASONS, 0)
        self.waiting: Callable[[], int] = int
        self.behind: Callable[[], float] = float
        self.size: Callable[[], int] = int
        self._told: dict[Reason, float] = {}

    def count(self, status: Status, number: int = 1) -> None:
        """Count events."""
        self.events[status] += number

    def failed(self, reason: Reason, sentence: str, cause: BaseException | None = None) -> None:
        """Count a failure of the audit log itself, and say so unless that kind was said within the last minute."""
        self.failures[reason] += 1
        now = time.monotonic()
        if now - self._told.get(reason, -INTERVAL) < INTERVAL:
            return
        self._told[reason] = now
        extra: dict[str, object] = {**STREAM, "audit.failure": reason, "audit.failures": self.failures[reason]}
        extra["audit.dropped"] = self.events["dropped"]
        if cause is not None:
            extra["cause"] = f"{type(cause).__name__}: {cause}"[:300]
        _logger.error("audit logging failed: %s", sentence, extra=extra)

    def recovered(self, reason: Reason) -> None:
        """Say that what failed works again."""
        if self._told.pop(reason, None) is not None:
            _logger.warning("audit logging works again: %s", reason, extra={**STREAM, "audit.recovered": reason})


statistics: Final = Statistics()
"""Those of this process."""


def observe(provider: MeterProvider) -> None:
    """Report the statistics; once for each provider."""
    if provider in _observed:
        return
    _observed.add(provider)
    meter = provider.get_meter(METER)
    EVENTS.observe(meter, _each("status", statistics.events))
    FAILURES.observe(meter, _each("reason", statistics.failures))
    WAITING.observe(meter, _one("waiting"))
    BEHIND.observe(meter, _one("behind"))
    JOURNAL_SIZE.observe(meter, _one("size"))


def _each(
    name: str, counts: dict[Status, int] | dict[Reason, int]
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: [Observation(number, {name: key}) for key, number in list(counts.items())]


def _one(name: Literal["waiting", "behind", "size"]) -> Callable[[CallbackOptions], Iterable[Observation]]:
    # Looked up each time: a log that is started puts its own there.
    return lambda _: [Observation(getattr(statistics, name)())]
