"""Thirty days through the real Prometheus and through the process's own marks: `python -m benchmarks.slo_replay`.

Three replicas, quiet nights, a total outage, a slow bleed, restarts. What each way of reckoning says is held against
the exact counts: ours by Prometheus (rules and queries), ours by a process, and two formulas that others publish.
"""

import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from mita_otel.breakers import CircuitBreaker, Registry
from mita_otel.generate.slo_rules import rules
from mita_otel.slo import prometheus
from mita_otel.slo.budget import Budget, Count, burn_rate
from mita_otel.slo.history import History
from mita_otel.slo.prometheus import PrometheusSource
from mita_otel.slo.routes import Route, Routes
from mita_otel.slo.specification import Slo, Specification
from mita_otel.slo.windows import DAY, HOUR, WINDOWS, Rolling

OBJECTIVE = 0.999
REPLICAS = 3
SERVICE = "shop"
QUIET = 0.05
"""Share of the busiest time below which it is night: a request or none."""
STEP = 15
"""Seconds between two samples."""


@dataclass(frozen=True)
class Step:
    """What a replica counted between two samples, and whether it began anew before it."""

    good: int
    bad: int
    restarted: bool


def traffic(days: int, seed: int = 1) -> Iterator[tuple[Step, ...]]:
    """Yield what each replica counts, step by step."""
    draw = random.Random(seed)
    steps, a_day = days * DAY // STEP, DAY // STEP
    outage = range(steps // 2, steps // 2 + 80)
    bleed = range(steps * 2 // 3, steps * 2 // 3 + steps // 10)
    for step in range(steps):
        busy = 0.5 - 0.5 * math.cos(2 * math.pi * (step % a_day) / a_day)
        made = []
        for _ in range(REPLICAS):
            total = int(draw.random() * 1.25) if busy < QUIET else int(50 * busy * draw.uniform(0.7, 1.3))
            share = 1.0 if step in outage else 0.004 if step in bleed else 0.0002
            bad = sum(draw.random() < share for _ in range(total)) if share < 1 else total
            made.append(Step(total - bad, bad, draw.random() < 1 / 8000))
        yield tuple(made)


def specification(days: int) -> Specification:
    """Return one objective with a budget of so many days."""
    return Specification(
        (
            Slo(
                id="available",
                title="",
                description="",
                service=SERVICE,
                owner=SERVICE,
                tier=1,
                type="availability",
                objective=OBJECTIVE,
                period=Rolling(days * DAY),
                routes=Routes((Route.read("*"),)),
            ),
        )
    )


@dataclass
class Replay:
    """A stream of events that ends now, as it was counted and as it was scraped."""

    days: int
    end: int
    exact: Count
    by_process: Count
    lines: list[str]
    happened: list[tuple[float, Count]]


def replay(days: int, end: int) -> Replay:
    """Count a stream, mark it as a process does, and write down what would have been scraped."""
    sums = [[0, 0] for _ in range(REPLICAS)]
    samples: dict[tuple[int, str], list[str]] = {(r, o): [] for r in range(REPLICAS) for o in ("good", "bad")}
    history, exact = History(), Count()
    happened: list[tuple[float, Count]] = []
    now = end - days * DAY
    history.tick(now, array("q", [0, 0]))
    for step in traffic(days):
        now += STEP
        happened.append((now, sum((Count(each.good, each.bad) for each in step), Count())))
        for replica, each in enumerate(step):
            if each.restarted:
                sums[replica] = [0, 0]
            sums[replica][0] += each.good
            sums[replica][1] += each.bad
            exact += Count(each.good, each.bad)
            for position, outcome in enumerate(("good", "bad")):
                samples[replica, outcome].append(_sample(replica, outcome, sums[replica][position], now))
        history.tick(now, array("q", [int(exact.good), int(exact.bad)]))
    past = history.since(now, now - days * DAY, array("q", [int(exact.good), int(exact.bad)]))
    lines = ["# TYPE mita_slo_events counter", *(line for each in samples.values() for line in each), "# EOF", ""]
    return Replay(days, end, exact, Count(past.cells[0], past.cells[1]), lines, happened)


def _sample(replica: int, outcome: str, value: int, at: int) -> str:
    labels = f'service_name="{SERVICE}",instance="{replica}",slo="available",outcome="{outcome}"'
    return f"mita_slo_events_total{{{labels}}} {value} {at}"


@contextmanager
def served(replayed: Replay, binaries: Mapping[str, Path], folder: Path, port: int) -> Iterator[str]:
    """Run Prometheus on a replay, its rules evaluated over all of it."""
    (folder / "samples.txt").write_text("\n".join(replayed.lines))
    (folder / "slo.yml").write_text(rules(specification(replayed.days), "the replay", STEP))
    (folder / "prometheus.yml").write_text("global: { evaluation_interval: 1m }\nrule_files: [slo.yml]\n")
    data, tool = folder / "data", str(binaries["promtool"])
    _run(tool, "tsdb", "create-blocks-from", "openmetrics", str(folder / "samples.txt"), str(data))
    # What is evaluated afterwards sees what was recorded before it only in the next round: sums, shares, budgets.
    for begin in (replayed.end - replayed.days * DAY, replayed.end - 900, replayed.end - 900):
        with _started(binaries["prometheus"], folder, port) as url:
            words = [
                "--start",
                str(begin),
                "--end",
                str(replayed.end),
                "--url",
                url,
                "--output-dir",
                str(folder / "made"),
            ]
            _run(tool, "tsdb", "create-blocks-from", "rules", *words, "--eval-interval", "5m", str(folder / "slo.yml"))
        for block in (folder / "made").iterdir():
            if (block / "meta.json").exists():
                shutil.move(block, data / block.name)
    with _started(binaries["prometheus"], folder, port) as url:
        yield url


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@contextmanager
def _started(program: Path, folder: Path, port: int) -> Iterator[str]:
    words = [str(program), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    words += [f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=60d", "--log.level=error"]
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("ab") as log, subprocess.Popen(words, stdout=log, stderr=log) as running:
        try:
            _wait(url)
            yield url
        finally:
            running.terminate()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urlopen(f"{url}/-/ready", timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def asked(url: str, expression: str, at: float) -> float:
    """Return what a query says at a moment."""
    with urlopen(f"{url}/api/v1/query?{urlencode({'query': expression, 'time': at})}", timeout=60) as answer:
        [series] = json.load(answer)["data"]["result"]
        return float(series["value"][1])


def ours(url: str, replayed: Replay, moment: float) -> PrometheusSource:
    """Return the engine's own source, which asks about a moment of the replay."""

    def at(query: str) -> Any:
        with urlopen(f"{query}&time={moment}", timeout=60) as answer:
            return json.load(answer)

    breaker = CircuitBreaker(prometheus.BREAKER, prometheus.POLICY, registry=Registry())
    slos = specification(replayed.days).slos
    return PrometheusSource(url, SERVICE, slos, get=at, breaker=breaker, clock=lambda: moment)


def findings(url: str, replayed: Replay) -> dict[str, float]:
    """Return the share of the budget that is left, by who says so."""
    period, window = replayed.days * DAY, f"{replayed.days}d"
    bad, whole = 'mita_slo_events_total{outcome="bad"}', "mita_slo_events_total"
    slice_ratio = f"sum(increase({bad}[5m])) / (sum(increase({whole}[5m])) > 0)"

    def left(error_ratio: float) -> float:
        return 1 - error_ratio / (1 - OBJECTIVE)

    def of(count: Count) -> float:
        remaining = Budget(OBJECTIVE, count, period).remaining_ratio
        return math.nan if remaining is None else remaining

    source = ours(url, replayed, replayed.end)
    past = source.read_past().since(replayed.end - period, replayed.end)
    return {
        "exact": of(replayed.exact),
        "ours, a process": of(replayed.by_process),
        "ours, by the source": of(source.read().seen["available"].period.count),
        "ours, what a process is left with": of(Count(past.cells[0], past.cells[1])),
        "ours, by the rules": asked(url, "mita_error_budget_remaining", replayed.end),
        "sloth: mean of 5 minutes' ratios": left(
            asked(url, f"avg_over_time(({slice_ratio})[{window}:5m])", replayed.end)
        ),
        "pyrra: increase over the period": left(
            asked(url, f"sum(increase({bad}[{window}])) / sum(increase({whole}[{window}]))", replayed.end)
        ),
    }


def burns(url: str, replayed: Replay) -> dict[str, tuple[float, ...]]:
    """Return the burn rate of each window: exact, by the engine's source, by the rules.

    All three are of the moment at which the rules were evaluated last: Prometheus evaluates each group at an offset of
    its own, by the hash of its name and file, so that the group of burn rates may not have seen the last of the sums.
    Windows of more than an hour are of these sums: they end where the last one of them does, as the source says.
    """
    evaluated = asked(url, "max(timestamp(mita_slo:burn_rate:ratio))", replayed.end)
    sight = ours(url, replayed, evaluated).read()
    found = {}
    for name, length in WINDOWS.items():
        if length >= replayed.days * DAY:
            continue
        end = evaluated if length <= HOUR else sight.watermark
        exact = sum((count for at, count in replayed.happened if end - length < at <= end), Count())
        query = f'mita_slo:burn_rate:ratio{{window="{name}"}}'
        counts = (exact, sight.seen["available"].windows[length].count)
        told = [burn_rate(count, OBJECTIVE) for count in counts]
        found[name] = (*(math.nan if each is None else each for each in told), asked(url, query, evaluated))
    return found


def run(days: int, binaries: Mapping[str, Path], port: int) -> tuple[dict[str, float], dict[str, tuple[float, ...]]]:
    """Replay so many days that end with the last full five minutes; return what is left, and how it burns."""
    replayed = replay(days, int(time.time()) // 300 * 300)
    with tempfile.TemporaryDirectory() as folder, served(replayed, binaries, Path(folder), port) as url:
        return findings(url, replayed), burns(url, replayed)


def main() -> None:
    from mita_otel.stack.build import Cache, build_all, default_cache  # noqa: PLC0415 - only the command needs it
    from tests.fixtures.polling import find_free_port  # noqa: PLC0415 - as above

    days = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    found, burning = run(days, build_all(Cache(default_cache())), find_free_port())
    print(f"budget left after {days} days, and how far from the truth in percent of the budget")
    for who, left in found.items():
        print(f"{who:34} {left:10.4f} {100 * (left - found['exact']):+9.3f}")
    print("burn rate: exact, by the source, by the rules")
    for window, told in burning.items():
        print(f"{window:4}", *(f"{each:12.6f}" for each in told))


if __name__ == "__main__":
    main()
