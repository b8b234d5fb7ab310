"""What is made of the measurements: medians and spreads, added cost, ratios to vanilla, shares delivered."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.overhead.look import Look
from benchmarks.overhead.rounds import Measured, Run, Sample
from benchmarks.overhead.variants import BARE, REQUESTS, VANILLA, VARIANTS, Due, Variant

_SIGMAS: Final = 4.0
"""By so many standard deviations chance may move the number of sampled requests: one run in 16,000 by more."""
_WHOLE: Final = 0.999


@dataclass(frozen=True, slots=True)
class Figure:
    """A median of rounds, the smallest and the largest."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """Of what was due, the share that arrived, between 0 and 1; the worst round counts.

    Attributes:
        spans: of the spans that the variant itself sends when nobody hurries it.
        operations: of the operations that a request consists of, those with a span.
        logs: of the log records; None where none are due.
        measurements: of the requests, and calls over HTTP, those that its histograms counted.
        missing: words for what did not arrive whole.
    """

    spans: float
    operations: float
    logs: float | None
    measurements: float
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cost:
    """One kind of request under one variant.

    Attributes:
        cpu_us: a request, microseconds on a core.
        added_us: over bare; None for bare.
        ratio: of that to vanilla's; None for bare, or without vanilla.
        rate: requests a second at saturation.
        p99_ms: at the fixed rate, milliseconds; None if it was not measured.
        delivery: None for bare.
    """

    cpu_us: Figure
    added_us: Figure | None
    ratio: Figure | None
    rate: Figure
    p99_ms: Figure | None
    delivery: Delivery | None


@dataclass(frozen=True, slots=True)
class Summary:
    """One variant: its costs by kind of request, its start in seconds, also by a launcher of its own, its megabytes."""

    costs: Mapping[str, Cost]
    start_s: Figure
    resident_mb: Figure
    own_start_s: Figure | None = None


def figure(values: Sequence[float]) -> Figure:
    """Return the median and the extremes of one value or more."""
    return Figure(statistics.median(values), min(values), max(values))


def _known(values: Sequence[float | None]) -> Figure | None:
    known = [value for value in values if value is not None]
    return figure(known) if known else None


def summarise(measured: Measured) -> dict[str, Summary]:
    """Return a summary of each variant, in the order in which they were looked at."""
    runs = {name: [run for run in measured.runs if run.variant == name] for name in measured.looks}
    kinds = next((list(run.samples) for run in measured.runs), [])
    return {
        name: Summary(
            costs={kind: _cost(name, kind, runs, measured.looks[name]) for kind in kinds},
            start_s=figure([run.started for run in own]),
            resident_mb=figure([run.resident / 1e6 for run in own]),
            own_start_s=_known([run.own_start for run in own]),
        )
        for name, own in runs.items()
    }


def _cost(name: str, kind: str, runs: Mapping[str, Sequence[Run]], seen: Look) -> Cost:
    samples = [run.samples[kind] for run in runs[name]]
    costs = {other: [_microseconds(run.samples[kind]) for run in runs[other]] for other in runs}
    p99 = [None if sample.p99 is None else 1000 * sample.p99 for sample in samples]
    variant = VARIANTS[name]
    return Cost(
        cpu_us=figure(costs[name]),
        added_us=None if name == BARE else _added(costs[name], costs.get(BARE)),
        ratio=None if name == BARE else ratio(costs[name], costs.get(VANILLA), costs.get(BARE)),
        rate=figure([sample.requests / sample.seconds for sample in samples]),
        p99_ms=_known(p99),
        delivery=delivery(variant, kind, runs[name], seen) if variant.delivers else None,
    )


def _microseconds(sample: Sample) -> float:
    return 1e6 * sample.cpu / sample.requests


def _added(cost: Sequence[float], bare: Sequence[float] | None) -> Figure | None:
    """Return the difference of the medians, and the extremes of the differences within a round."""
    if not bare:
        return None
    differences = [one - other for one, other in zip(cost, bare, strict=True)]
    return Figure(statistics.median(cost) - statistics.median(bare), min(differences), max(differences))


def ratio(cost: Sequence[float], vanilla: Sequence[float] | None, bare: Sequence[float] | None) -> Figure | None:
    """Return what is added to bare, in multiples of what vanilla adds; None where that cannot be told.

    The median is made of the three medians, the extremes of the ratios within one round each.
    """
    if not vanilla or not bare:
        return None
    rounds = [
        (own - without) / (other - without)
        for own, other, without in zip(cost, vanilla, bare, strict=True)
        if other > without
    ]
    ours, theirs, base = (statistics.median(values) for values in (cost, vanilla, bare))
    if theirs <= base or not rounds:
        return None
    return Figure((ours - base) / (theirs - base), min(rounds), max(rounds))


def delivery(variant: Variant, kind: str, runs: Sequence[Run], seen: Look) -> Delivery:
    """Return what arrived of what was due in the worst round."""
    due, own = REQUESTS[kind], seen.requests[kind].spans_a_request
    samples = [run.samples[kind] for run in runs]
    spans = _worst(samples, lambda sample: _share(sample.arrived.spans, own * sample.requests * variant.share))
    operations = _worst(samples, lambda sample: _operations(variant, due, sample))
    logs = _worst(samples, lambda sample: _share(sample.arrived.logs, due.logs * sample.requests)) if due.logs else None
    measurements = min(_share(run.measured, run.answered) for run in runs)
    if due.calls:
        measurements = min(measurements, *(_share(run.measured_calls, run.calls) for run in runs))
    chance = _chance(variant, min(sample.requests for sample in samples))
    shares = {"spans": min(spans, operations) + chance, "logs": logs, "measurements": measurements}
    missing = tuple(what for what, share in shares.items() if share is not None and share < _WHOLE)
    return Delivery(spans, operations, logs, measurements, missing)


def _worst(samples: Sequence[Sample], share: Callable[[Sample], float]) -> float:
    return min(share(sample) for sample in samples)


def _share(arrived: float, due: float) -> float:
    """Return what arrived of what was due, at most all of it: a second delivery makes up for nothing."""
    return min(arrived / due, 1.0) if due else 0.0


def _operations(variant: Variant, due: Due, sample: Sample) -> float:
    wanted = {operation: number * sample.requests * variant.share for operation, number in due.spans.items()}
    there = sum(min(sample.arrived.operations.get(operation, 0), number) for operation, number in wanted.items())
    return _share(there, sum(wanted.values()))


def _chance(variant: Variant, requests: int) -> float:
    """Return how much of its share a sampler may miss by chance."""
    if variant.share == 1:
        return 0.0
    return _SIGMAS * math.sqrt((1 - variant.share) / (variant.share * requests))
