"""Measures what telemetry costs a service, ours beside vanilla OpenTelemetry and its peers.

Environments are made from pinned requirements at the first run, in the user's cache. Progress goes to stderr, the
report to stdout; the last line is one JSON object: for each kind of request the ratio of our added CPU to vanilla's.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.overhead import machine
from benchmarks.overhead.environments import Say, SetupError, alone, pin, prepare
from benchmarks.overhead.faults import MeasurementError
from benchmarks.overhead.figures import Summary, summarise
from benchmarks.overhead.report import Conditions, as_json, draw, put, render, verdict
from benchmarks.overhead.rounds import Effort, Measured, measure
from benchmarks.overhead.variants import QUICK, REQUESTS, VARIANTS
from mita_otel.stack.model import StackError

_FULL: Final = Effort()
_QUICK: Final = Effort(seconds=2.5, warm_up=0.3, paced=0.0, starts=1, budget=320.0)
"""Under six minutes for three variants, environments included: five without them where nobody else works."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status: 0, or 1 if something could not be measured."""
    options = _parser().parse_args(words)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr, flush=True)

    try:
        if options.pin:
            pin(say)
        else:
            with alone(say), machine.first():
                _measure(options, say)
    except (SetupError, MeasurementError, StackError) as error:
        print(f"overhead: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(options: argparse.Namespace, say: Say) -> None:
    effort = _effort(options)
    variants = [VARIANTS[name] for name in options.variants or (QUICK if options.quick else VARIANTS)]
    programs = prepare([variant.distribution for variant in variants], say)
    measured = measure(variants, programs, effort, say)
    summaries = summarise(measured)
    conditions = Conditions.of(measured, effort)
    for place in filter(None, (options.json, options.markdown, options.chart)):
        place.parent.mkdir(parents=True, exist_ok=True)
    if options.json:
        options.json.write_text(as_json(measured, summaries, conditions) + "\n")
    chart: Path | None = None
    if options.markdown:
        chart = options.markdown.with_suffix(".svg")
        chart.write_text(draw(summaries))
        options.markdown.write_text(render(summaries, measured.looks, conditions, chart=chart.name))
    if options.page:
        _rewrite(options.page, options.chart, summaries, measured, conditions)
    print(render(summaries, measured.looks, conditions))
    print(verdict(summaries), flush=True)
    if measured.fault:
        raise MeasurementError(f"{measured.fault}; the report is of the {measured.rounds} rounds before")


def _rewrite(
    page: Path, chart: Path | None, summaries: Mapping[str, Summary], measured: Measured, conditions: Conditions
) -> None:
    """Put the report into a page, and its chart where the page finds it."""
    if chart:
        chart.write_text(draw(summaries))
    seen = str(chart.resolve().relative_to(page.resolve().parent)) if chart else None
    page.write_text(put(page.read_text(), render(summaries, measured.looks, conditions, chart=seen)))


def _effort(options: argparse.Namespace) -> Effort:
    given = {name: getattr(options, name) for name in ("rounds", "requests", "seconds", "limit", "warm_up", "paced")}
    chosen = {name: value for name, value in given.items() if value is not None}
    return replace(_QUICK if options.quick else _FULL, **chosen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.overhead",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="ours against bare and vanilla, in under six minutes")
    add("--variants", type=_names(VARIANTS), metavar="A,B", help=f"of {', '.join(VARIANTS)} (default: all)")
    add("--requests", type=_names(REQUESTS), metavar="A,B", help=f"of {', '.join(REQUESTS)} (default: all)")
    add("--rounds", type=_number(int, 1), metavar="N", help=_default("interleaved rounds", "rounds"))
    add("--seconds", type=_number(float, 0.1), metavar="S", help=_default("of saturation", "seconds"))
    add("--limit", type=_number(int, 1), metavar="N", help="requests after which saturation ends sooner")
    add("--warm-up", type=_number(float, 0.0), metavar="S", help=_default("of saturation before", "warm_up"))
    add("--paced", type=_number(float, 0.0), metavar="S", help=_default("at 100 requests/s, 0 for none", "paced"))
    add("--json", type=Path, metavar="FILE", help="write everything that was measured")
    add("--markdown", type=Path, metavar="FILE", help="write the report, and its chart beside it")
    add("--page", type=Path, metavar="FILE", help="put the report between the marks of a page")
    add("--chart", type=Path, metavar="FILE", help="write the chart of that page, in its folder or below")
    add("--pin", action="store_true", help="write the pinned requirements anew, and measure nothing")
    return parser


def _default(words: str, name: str) -> str:
    return f"{words} (default {getattr(_FULL, name):g}, quick {getattr(_QUICK, name):g})"


def _names(known: Mapping[str, object]) -> Callable[[str], tuple[str, ...]]:
    def names(text: str) -> tuple[str, ...]:
        chosen = tuple(part.strip() for part in text.split(",") if part.strip())
        unknown = [name for name in chosen if name not in known]
        if unknown or not chosen:
            raise argparse.ArgumentTypeError(f"{text!r} is not allowed: it takes {', '.join(known)}")
        return chosen

    return names


def _number(kind: Callable[[str], float], least: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = least - 1
        if not least <= value < float("inf"):
            raise argparse.ArgumentTypeError(f"{text!r} is not allowed: it takes a number of {least:g} or more")
        return value

    return number


if __name__ == "__main__":
    sys.exit(main())
