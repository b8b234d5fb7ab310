"""What is promised: objectives, read from OpenSLO files and checked against what is measured."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from mita_otel.slo import checks, openslo, stages
from mita_otel.slo.documents import Document, SpecificationError, read
from mita_otel.slo.policy import STAGES, Stage
from mita_otel.slo.routes import Routes
from mita_otel.slo.windows import Period, seconds

Type: TypeAlias = Literal["availability", "latency", "correctness", "accuracy", "freshness", "delivery"]
"""What about a service is promised."""

MOST: Final = 200
"""Objectives of one process: each has two series, and twenty more that rules make of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One objective.

    Attributes:
        id: unique among them.
        title: for people.
        description: one sentence.
        service: the part of the service that it is about.
        owner: who answers for it.
        tier: 1 for what users cannot do without, 3 for what they can.
        type: what about the service is promised.
        objective: the share that has to be good, above 0 and below 1.
        period: what its budget is for.
        routes: the requests that it is about; None where it is about events.
        threshold: seconds within which a request has to be answered; None where time does not matter.
        events: the events that it is about, by name.
        stages: of its budget's policy, from the best to the worst.
    """

    id: str
    title: str
    description: str
    service: str
    owner: str
    tier: int
    type: Type
    objective: float
    period: Period
    routes: Routes | None = None
    threshold: float | None = None
    events: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = STAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """A rate that is looked at and has no budget.

    Attributes:
        id: unique among all.
        description: one sentence.
        metric: whose measurements are counted.
        over: seconds that they are counted over.
        reference: what is expected, a second.
    """

    id: str
    description: str
    metric: str
    over: int
    reference: float


@dataclass(frozen=True, slots=True)
class Specification:
    """All that is promised of a service."""

    slos: tuple[Slo, ...] = ()
    indicators: tuple[Indicator, ...] = ()

    def of(self, id: str) -> Slo | None:  # noqa: A002 - what it is called
        """Return the objective of an id."""
        return next((slo for slo in self.slos if slo.id == id), None)


def load(path: Path) -> Specification:
    """Read a file.

    Raises:
        SpecificationError: it cannot be read, or says what cannot be; every mistake is told with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecificationError([f"{path}:1: cannot be read: {error}"]) from error
    return parse(text, str(path))


def parse(text: str, file: str = "slo.yaml") -> Specification:
    """Read a text; as `load`.

    Raises:
        SpecificationError: it says what cannot be.
    """
    problems: list[str] = []
    things: list[tuple[Document, openslo.Known]] = []
    for document in read(text, file):
        try:
            things.append((document, openslo.parsed(document)))
        except SpecificationError as error:
            problems += error.problems
    services = {thing.metadata.name for _, thing in things if isinstance(thing, openslo.Service)}
    slos = [(document, thing) for document, thing in things if isinstance(thing, openslo.SLO)]
    indicators = [(document, thing) for document, thing in things if isinstance(thing, openslo.SLI)]
    policies = [(document, thing) for document, thing in things if isinstance(thing, openslo.AlertPolicy)]
    problems += checks.names(things)
    problems += stages.problems(policies, [thing.spec.timeWindow[0].duration for _, thing in slos])
    for document, slo in slos:
        problems += checks.slo(document, slo, services)
    for document, indicator in indicators:
        problems += checks.indicator(document, indicator)
    if not problems:
        made = tuple(_slo(thing, policies) for _, thing in slos)
        problems += _shared(slos, made)
        if len(made) > MOST:
            problems.append(f"{file}:1: has {len(made)} objectives, {MOST} are the most")
    if problems:
        raise SpecificationError(sorted(problems, key=_line))
    return Specification(made, tuple(_indicator(thing) for _, thing in indicators))


def _line(problem: str) -> int:
    return int(problem.split(": ", 1)[0].rsplit(":", 1)[-1])


def _slo(thing: openslo.SLO, policies: stages.Policies) -> Slo:
    spec, metadata = thing.spec, thing.metadata
    total, good = spec.indicator.spec.ratioMetric.total.metricSource.spec, spec.indicator.spec.ratioMetric.good
    condition = good.metricSource.spec
    return Slo(
        id=metadata.name,
        title=metadata.displayName or metadata.name,
        description=spec.description,
        service=spec.service,
        owner=metadata.labels.owner,
        tier=int(metadata.labels.tier),
        type=metadata.labels.type,
        objective=spec.objectives[0].target,
        period=checks.period(spec.timeWindow[0]),
        routes=checks.routes(total) if isinstance(total, openslo.Requests) else None,
        threshold=checks.threshold(condition) if isinstance(condition, openslo.Within) else None,
        events=tuple(total.events) if isinstance(total, openslo.Events) else (),
        stages=stages.stages_of(policies, spec.timeWindow[0].duration),
    )


def _indicator(thing: openslo.SLI) -> Indicator:
    spec = thing.spec.thresholdMetric.metricSource.spec
    return Indicator(
        id=thing.metadata.name,
        description=thing.spec.description,
        metric=spec.metric,
        over=int(seconds(spec.over)),
        reference=spec.reference,
    )


def _shared(things: Iterable[tuple[Document, openslo.SLO]], slos: tuple[Slo, ...]) -> Iterator[str]:
    """Yield a problem for each objective whose requests another service's objectives are about, too.

    A request belongs to one part of the service, and to the whole of it.
    """
    parts: list[Slo] = []
    for (document, _), slo in zip(things, slos, strict=True):
        if slo.routes is None or slo.routes.is_everything:
            continue
        for other in parts:
            shared = slo.service != other.service and other.routes is not None and slo.routes.shared_with(other.routes)
            if shared:
                yield document.problem(
                    (*checks.TOTAL, "routes"),
                    f"{shared[0]} overlaps {shared[1]} of {other.id}, which is another service's;"
                    " a request belongs to one service, and to '*'",
                )
                break
        parts.append(slo)
