"""How a round is measured: each variant's service starts anew, alone on its core, and meets each kind of request."""

import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.overhead import look, machine
from benchmarks.overhead.faults import MeasurementError
from benchmarks.overhead.load import pace, saturate
from benchmarks.overhead.look import Look
from benchmarks.overhead.machine import Calibration
from benchmarks.overhead.received import Telemetry
from benchmarks.overhead.received.content import CLIENT_METRICS, SERVER_METRICS
from benchmarks.overhead.server import Server, served
from benchmarks.overhead.surroundings import Sink, Surroundings, surroundings
from benchmarks.overhead.variants import REQUESTS, Due, Variant

_LOOKED_AT: Final = 20
"""Traced requests of each kind that a look at the content takes."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured.

    Attributes:
        rounds: of every variant, unless the budget ends sooner.
        requests: kinds, from `REQUESTS`.
        seconds: of saturation, for each kind in each round.
        limit: requests after which saturation ends sooner.
        warm_up: seconds of saturation before.
        connections: that ask at once.
        paced: seconds at a fixed rate; 0 for none.
        rate: of that, requests a second.
        starts: by each launcher in each round, of which the median counts: what a host does meanwhile makes one of them
            half as long again.
        budget: seconds for all of it; a round that would not fit is not begun. The first one always is.
    """

    rounds: int = 5
    requests: tuple[str, ...] = tuple(REQUESTS)
    seconds: float = 4.0
    limit: float = float("inf")
    warm_up: float = 0.5
    connections: int = 16
    paced: float = 6.0
    rate: float = 100.0
    starts: int = 3
    budget: float = float("inf")


@dataclass(frozen=True, slots=True)
class Arrived:
    """What the sink got: spans by operation, all spans that are no log records, log records."""

    operations: Mapping[str, int]
    spans: int
    logs: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One kind of request in one round.

    Attributes:
        requests: answered at saturation.
        seconds: that took.
        cpu: seconds on a core for them, until their telemetry was delivered.
        arrived: of their telemetry.
        p50: median latency at the fixed rate in seconds, from when a request was due; None if it was not measured.
        p99: of those, 99 % were answered within so many seconds.
    """

    requests: int
    seconds: float
    cpu: float
    arrived: Arrived
    p50: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One life of a variant's service.

    Attributes:
        variant: its name.
        calibration: of the core, just before.
        started: seconds from start to first answer.
        resident: bytes at the end.
        samples: by kind of request.
        answered: requests in its life.
        measured: requests that the server's histogram counted.
        calls: calls to the neighbour in its life.
        measured_calls: those that the client's histogram counted.
        own_start: seconds from start to first answer in other lives, by its own launcher; None where it has none.
    """

    variant: str
    calibration: Calibration
    started: float
    resident: int
    samples: Mapping[str, Sample]
    answered: int
    measured: int
    calls: int
    measured_calls: int
    own_start: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """All that was measured.

    Attributes:
        looks: at each variant.
        runs: of complete rounds, in their order.
        load: averages before and after.
        fault: why there are fewer rounds than were wanted; empty if nothing went wrong.
    """

    looks: Mapping[str, Look]
    runs: Sequence[Run]
    load: tuple[float, float]
    fault: str = ""

    @property
    def rounds(self) -> int:
        """How many there were."""
        return len(self.runs) // len(self.looks) if self.looks else 0


@dataclass(frozen=True, slots=True)
class _Bench:
    """Where the runs happen."""

    around: Surroundings
    programs: Mapping[str, Path]
    cores: machine.Cores
    folder: Path
    calm: machine.Calm

    @property
    def sink(self) -> Sink:
        return self.around.sink

    def serve(self, variant: Variant) -> AbstractContextManager[Server]:
        """Start a variant's service; to be entered."""
        variables = {**self.around.variables, **variant.environment(self.sink.url)}
        return served(
            variant,
            self.programs[variant.distribution],
            variables,
            core=self.cores.server,
            printed=self.folder / variant.name,
        )


def measure(variants: Sequence[Variant], programs: Mapping[str, Path], effort: Effort, say: Say) -> Measured:
    """Look at each variant's content, then measure rounds, whose order is reversed each other time.

    Args:
        variants: in order.
        programs: folders of programs by distribution.
        effort: how much.
        say: takes lines about the progress.

    Raises:
        MeasurementError: something went wrong before the first round was complete; later it ends the rounds.
    """
    cores = machine.cores()
    before, began = os.getloadavg()[0], time.monotonic()
    with machine.on_core(cores.rest), surroundings() as around, tempfile.TemporaryDirectory() as folder:
        bench = _Bench(around, programs, cores, Path(folder), machine.Calm(cores.server))
        looks = {variant.name: _look(bench, variant, effort) for variant in variants}
        runs, fault = _rounds(bench, variants, replace(effort, budget=effort.budget - (time.monotonic() - began)), say)
        return Measured(looks, runs, (before, os.getloadavg()[0]), fault)


def _rounds(bench: _Bench, variants: Sequence[Variant], effort: Effort, say: Say) -> tuple[list[Run], str]:
    """Return the runs of all rounds that were complete, and what ended them early."""
    runs: list[Run] = []
    for number in within(effort.budget, effort.rounds):
        complete = len(runs)
        for variant in variants if number % 2 else reversed(variants):
            try:
                runs.append(_run(bench, variant, effort))
            except MeasurementError as error:
                if not complete:
                    raise
                # An hour's work is not thrown away for one hiccup.
                return runs[:complete], f"round {number}, {variant.name}: {error}"
            say(f"round {number} of {effort.rounds}: {_line(runs[-1])}")
    return runs, ""


def within(seconds: float, rounds: int, clock: Callable[[], float] = time.monotonic) -> Iterator[int]:
    """Count rounds from 1, and stop before one that would not fit if it took as long as the longest until then."""
    began = last = clock()
    longest = 0.0
    for number in range(1, rounds + 1):
        if number > 1:
            longest = max(longest, clock() - last)
            last = clock()
            if last - began + longest > seconds:
                return
        yield number


def _line(run: Run) -> str:
    costs = (f"{kind} {1e6 * sample.cpu / sample.requests:,.0f} us" for kind, sample in run.samples.items())
    return f"{run.variant:11} {', '.join(costs)} a request"


def _look(bench: _Bench, variant: Variant, effort: Effort) -> Look:
    """Ask a few times, one after the other, and see what comes."""
    found = {}
    number = int(_LOOKED_AT / variant.share)
    bench.sink.take()
    with bench.serve(variant) as server:
        for kind in effort.requests:
            # The first one opens connections to databases.
            saturate(server.port, REQUESTS[kind].path, connections=1, requests=1)
        everything = _delivered(bench, variant)
        for kind in effort.requests:
            saturate(server.port, REQUESTS[kind].path, connections=1, requests=number)
            arrived = _delivered(bench, variant)
            found[kind] = look.content(arrived, number)
            everything.add(arrived)
    everything.add(bench.sink.take())
    return Look(found, look.metrics(everything))


def _run(bench: _Bench, variant: Variant, effort: Effort) -> Run:
    calibration = bench.calm.wait()
    own_start = None
    if variant.own_launcher:
        own_start = statistics.median(_starts(bench, replace(variant, launcher=(variant.own_launcher,)), effort.starts))
    started = _starts(bench, variant, effort.starts - 1)
    samples, answered, everything = {}, Counter({"ping": 1}), Telemetry()
    bench.sink.take()
    with bench.serve(variant) as server:
        for kind in effort.requests:
            samples[kind], number, arrived = _sample(bench, variant, server, REQUESTS[kind], effort)
            answered[kind] += number
            everything.points += arrived.points
        resident = machine.resident_bytes(server.pid)
    everything.add(bench.sink.take())
    return Run(
        variant=variant.name,
        calibration=calibration,
        started=statistics.median([*started, server.started]),
        resident=resident,
        samples=samples,
        answered=answered.total(),
        measured=everything.measured(SERVER_METRICS),
        calls=sum(number * REQUESTS[kind].calls for kind, number in answered.items()),
        measured_calls=everything.measured(CLIENT_METRICS),
        own_start=own_start,
    )


def _starts(bench: _Bench, variant: Variant, number: int) -> list[float]:
    """Return the seconds to the first answer of lives that end with it."""
    started = []
    for _ in range(number):
        with bench.serve(variant) as server:
            started.append(server.started)
    return started


def _sample(bench: _Bench, variant: Variant, server: Server, due: Due, effort: Effort) -> tuple[Sample, int, Telemetry]:
    """Return a sample, the number of all its requests, and all that arrived meanwhile."""
    load_by = partial(saturate, server.port, due.path, connections=effort.connections, awake=due.is_alone)
    warm = load_by(seconds=effort.warm_up)
    everything = _delivered(bench, variant)
    bench.calm.wait()
    before = machine.cpu_seconds(server.pid)
    load = load_by(seconds=effort.seconds, requests=effort.limit)
    arrived = _delivered(bench, variant)
    cpu = machine.cpu_seconds(server.pid) - before
    everything.add(arrived)
    latencies = pace(server.port, due.path, rate=effort.rate, seconds=effort.paced) if effort.paced else []
    if latencies:
        everything.add(_delivered(bench, variant))
    p50, p99 = _quantiles(latencies)
    sample = Sample(load.requests, load.seconds, cpu, _counted(arrived), p50, p99)
    return sample, warm.requests + load.requests + len(latencies), everything


def _delivered(bench: _Bench, variant: Variant) -> Telemetry:
    """Return what came, once nothing more comes."""
    if variant.delivers:
        bench.sink.settle()
    return bench.sink.take()


def _counted(telemetry: Telemetry) -> Arrived:
    operations: Counter[str] = Counter(span.operation for span in telemetry.spans)
    return Arrived(dict(operations), len(telemetry.spans) - operations["log"], telemetry.log_records())


def _quantiles(latencies: Sequence[float]) -> tuple[float | None, float | None]:
    if len(latencies) < 2:  # noqa: PLR2004 - a quantile needs two values
        return None, None
    steps = statistics.quantiles(latencies, n=100, method="inclusive")
    return steps[49], steps[98]
