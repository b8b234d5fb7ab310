"""The objectives of this process: read once, counted everywhere, told of to whoever asks."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.client import HTTPException
from typing import Any, Final

from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.sdk.resources import SERVICE_VERSION

from mita_otel.degradation import decide_by
from mita_otel.metrics.catalogue import slo as catalogue
from mita_otel.settings import Settings
from mita_otel.slo import report, telemetry
from mita_otel.slo.counts import Cells, Counts, count_of
from mita_otel.slo.documents import SpecificationError
from mita_otel.slo.engine import Engine
from mita_otel.slo.events import Events
from mita_otel.slo.history import History
from mita_otel.slo.ledger import Ledger, trace_url
from mita_otel.slo.ledger.causes import NONE
from mita_otel.slo.ledger.own import Seen
from mita_otel.slo.ledger.prometheus import Asked, at_once
from mita_otel.slo.prometheus import PrometheusSource
from mita_otel.slo.shared import RedisSource
from mita_otel.slo.sources import ProcessSource, Source
from mita_otel.slo.specification import Specification, load
from mita_otel.slo.telling import current, use
from mita_otel.slo.windows import DAY

METER: Final = "mita_otel.slo"

UNNAMED: Final = "unknown_service"

FLAGS_KEPT: Final = 15.0
"""Seconds for which flags are decided by one judgement."""

_logger: Final = logging.getLogger("mita_otel.slo")


class Objectives:
    """What is promised and what is kept of it.

    Args:
        specification: what is promised.
        better: sources that are asked before this process's own counts.
        clock: seconds since the epoch.
        shared: tells others what this process counts, and is asked after the better ones.

    Attributes:
        asked: the Prometheus that knows who spent budgets, if there is one.
        specification: what is promised.
        engine: judges what is kept of it.
        counts: what this process has seen.
        events: adds to it.
        history: what was counted until when.
        ledger: what the bad events have in common.
        trace_url: address of a trace, with `{trace_id}`; None where nobody knows it.
        clock: seconds since the epoch.
    """

    __slots__ = (
        "__weakref__",
        "_series",
        "_shared",
        "asked",
        "clock",
        "counts",
        "engine",
        "events",
        "history",
        "ledger",
        "specification",
        "trace_url",
    )

    def __init__(
        self,
        specification: Specification,
        better: Sequence[Source] = (),
        clock: Callable[[], float] = time.time,
        *,
        shared: RedisSource | None = None,
    ) -> None:
        self.specification = specification
        self.clock = clock
        self.trace_url: str | None = None
        self.asked: Asked | None = None
        self.counts = Counts(len(specification.slos))
        self.ledger = Ledger([slo.id for slo in specification.slos], clock)
        self.events = Events(specification.slos, self.counts, self.ledger)
        self.history = History()
        self._shared = shared
        if shared is not None:
            shared.serve(self.counts.seen)
            better = (*better, shared)
        pasts = [each.past for each in better if isinstance(each, PrometheusSource | RedisSource)]
        own = ProcessSource(specification.slos, self.counts, self.history, pasts)
        self.engine = Engine(specification.slos, (*better, own), clock)
        self._series: tuple[Mapping[str, str], ...] = tuple(
            {"slo": slo.id, "outcome": outcome} for slo in specification.slos for outcome in ("good", "bad")
        )
        self.tick()

    def tick(self) -> None:
        """Take note of what was counted until now."""
        self.history.tick(self.clock(), self.counts.seen())
        if self._shared is not None:
            self._shared.tick()

    @property
    def closings(self) -> Sequence[tuple[str, Callable[[float], None]]]:
        """What tells others, as the process ends, what is left to tell and that nothing more will come."""
        return [] if self._shared is None else [("objectives", self._shared.close)]

    def observe(self, provider: MeterProvider) -> None:
        """Report at each collection, with a zero for what has not happened: Prometheus sees no first increase else."""
        meter = provider.get_meter(METER)
        catalogue.EVENTS.observe(meter, self._counted)
        catalogue.OBJECTIVE.observe(
            meter, lambda _: [Observation(slo.objective, {"slo": slo.id}) for slo in self.specification.slos]
        )
        catalogue.INFO.observe(
            meter, lambda _: [Observation(1, telemetry.about(slo)) for slo in self.specification.slos]
        )
        begins = telemetry.stages(self.specification.slos)
        catalogue.STAGE.observe(
            meter,
            lambda _: [
                Observation(begin, {"period": period, "stage": stage, "action": action})
                for (period, stage, action), begin in begins.items()
            ],
        )
        shared = self._shared
        catalogue.UNTOLD.observe(meter, lambda _: [Observation(0 if shared is None else shared.lost)])
        telemetry.observe(meter, self.engine.status)
        self.ledger.observe(meter, _version(provider))

    def report(self) -> dict[str, Any]:
        """Return how all objectives stand, as `/slo/status` tells it."""
        return report.report(self.engine.status(), self._durations(), self.specification.indicators)

    def explain(self, slo: str | None = None, window: str | None = None) -> dict[str, Any]:
        """Return who spent the budgets, as `/slo/explain` tells it.

        Prometheus is asked, where there is one, which may take a while; else it is what this process has seen.

        Args:
            slo: id of an objective; None for all.
            window: such as `6h`; None for the periods of the objectives.

        Raises:
            LookupError: there is no objective of that id.
            ValueError: the window is none.
        """
        now, slos = self.clock(), self.specification.slos
        if self.asked is not None:
            try:
                told = self.asked.explained(slos, now, name=slo, window=window, traces=self.trace_url)
            except (OSError, HTTPException, ValueError) as error:
                _logger.warning("Prometheus does not tell who spent the budgets: %s", error)
            else:
                if told["slos"]:
                    return told
        cells = self.counts.seen()
        return Seen(slos, self.ledger, self.history, cells, now).explained(slo, window, self.trace_url)

    def attributes(self) -> Mapping[str, float]:
        """Return what feature flags may be decided by: `slo.<id>.budget_remaining` and `slo.<id>.burn_1h`."""
        # Flags are evaluated within requests: they are told what the last collection found.
        return report.attributes(self.engine.status(max_age=FLAGS_KEPT))

    def _durations(self) -> Cells:
        now = self.clock()
        return self.history.since(now, now - 30 * DAY, self.counts.seen()).cells

    def _counted(self, _: CallbackOptions) -> Iterable[Observation]:
        # Collections are what comes regularly to every process that is worth looking at.
        self.tick()
        self.ledger.collect()
        cells = self.counts.seen()
        return [Observation(cells[cell], series) for cell, series in enumerate(self._series)]

    def totals(self) -> Mapping[str, tuple[float, float]]:
        """Return the good and bad events of this process so far, by objective."""
        cells = self.counts.seen()
        counts = ((slo.id, count_of(cells, index)) for index, slo in enumerate(self.specification.slos))
        return {name: (count.good, count.bad) for name, count in counts}


def start(settings: Settings, provider: MeterProvider, instance: Callable[[], str] = lambda: "") -> Objectives | None:
    """Read the objectives that the settings name, and count for them.

    Args:
        settings: what the environment asks for.
        provider: takes what is told of them.
        instance: returns the `service.instance.id` of this process.

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
    name, slos = settings.service_name or UNNAMED, specification.slos
    url, redis = settings.prometheus_url, settings.slo_redis_url
    better = [PrometheusSource(url, name, slos)] if url and slos else []
    shared = RedisSource(redis.get_secret_value(), name, slos, instance=instance) if redis and slos else None
    objectives = Objectives(specification, better, shared=shared)
    objectives.trace_url = trace_url(settings)
    if settings.prometheus_url is not None:
        objectives.asked = Asked(settings.prometheus_url, settings.service_name or UNNAMED, at_once)
    objectives.observe(provider)
    use(objectives)
    decide_by(_decisive)
    return objectives


def _decisive() -> Mapping[str, float]:
    """Return what flags may be decided by, where the process has objectives."""
    objectives = current()
    return {} if objectives is None else objectives.attributes()


def _version(provider: MeterProvider) -> str:
    """Return the version of the service that a provider of the SDK tells of."""
    config = getattr(provider, "_sdk_config", None)
    return NONE if config is None else str(config.resource.attributes.get(SERVICE_VERSION) or NONE)
