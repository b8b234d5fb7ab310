"""The objectives of this process: read once, counted everywhere, told of to whoever asks."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from mita_otel.metrics.catalogue import slo as catalogue
from mita_otel.settings import Settings
from mita_otel.slo.counts import Counts, count_of
from mita_otel.slo.documents import SpecificationError
from mita_otel.slo.events import Events
from mita_otel.slo.history import History
from mita_otel.slo.specification import Specification, load

METER: Final = "mita_otel.slo"

_logger: Final = logging.getLogger("mita_otel.slo")


class Objectives:
    """What is promised and what is kept of it.

    Args:
        specification: what is promised.
        clock: seconds since the epoch.

    Attributes:
        specification: what is promised.
        counts: what this process has seen.
        events: adds to it.
        history: what was counted until when.
        clock: seconds since the epoch.
    """

    __slots__ = ("_series", "clock", "counts", "events", "history", "specification")

    def __init__(self, specification: Specification, clock: Callable[[], float] = time.time) -> None:
        self.specification = specification
        self.clock = clock
        self.counts = Counts(len(specification.slos))
        self.events = Events(specification.slos, self.counts)
        self.history = History()
        self._series: tuple[Mapping[str, str], ...] = tuple(
            {"slo": slo.id, "outcome": outcome} for slo in specification.slos for outcome in ("good", "bad")
        )
        self.tick()

    def tick(self) -> None:
        """Take note of what was counted until now."""
        self.history.tick(self.clock(), self.counts.seen())

    def observe(self, provider: MeterProvider) -> None:
        """Report at each collection, with a zero for what has not happened: Prometheus sees no first increase else."""
        meter = provider.get_meter(METER)
        catalogue.EVENTS.observe(meter, self._counted)
        catalogue.OBJECTIVE.observe(
            meter, lambda _: [Observation(slo.objective, {"slo": slo.id}) for slo in self.specification.slos]
        )

    def _counted(self, _: CallbackOptions) -> Iterable[Observation]:
        # Collections are what comes regularly to every process that is worth looking at.
        self.tick()
        cells = self.counts.seen()
        return [Observation(cells[cell], series) for cell, series in enumerate(self._series)]

    def totals(self) -> Mapping[str, tuple[float, float]]:
        """Return the good and bad events of this process so far, by objective."""
        cells = self.counts.seen()
        counts = ((slo.id, count_of(cells, index)) for index, slo in enumerate(self.specification.slos))
        return {name: (count.good, count.bad) for name, count in counts}


_current: list[Objectives] = []


def current() -> Objectives | None:
    """Return the objectives of this process; None where it has none."""
    return _current[-1] if _current else None


def use(objectives: Objectives | None) -> None:
    """Count for these objectives from now on; for none without."""
    _current.clear()
    if objectives is not None:
        _current.append(objectives)


def start(settings: Settings, provider: MeterProvider) -> Objectives | None:
    """Read the objectives that the settings name, and count for them.

    Raises:
        SpecificationError: under `MITA_STRICT=1`, for a file that is not as it must be; else it is logged, and nothing
            is counted.
    """
    if settings.slo_file is None:
        return None
    try:
        specification = load(settings.slo_file)
    except SpecificationError as error:
        if settings.strict:
            raise
        _logger.error("no objectives are counted: MITA_SLO_FILE cannot be used: %s", error)  # noqa: TRY400 - no fault
        return None
    objectives = Objectives(specification)
    objectives.observe(provider)
    use(objectives)
    return objectives


def event(name: str, *, good: bool) -> None:
    """Tell that something happened as promised, or that it did not.

    It counts for each objective whose `events` name it; for none it does nothing.

    Args:
        name: of the event.
        good: whether it was as promised.
    """
    objectives = current()
    if objectives is not None:
        objectives.events.event(name, good=good)


@contextmanager
def outcome_of(name: str) -> Iterator[None]:
    """Tell, as the block ends, that something happened as promised, or that it did not where an exception leaves it.

    One that was cancelled tells nothing.

    Args:
        name: of the event.
    """
    try:
        yield
    except Exception:
        event(name, good=False)
        raise
    event(name, good=True)
