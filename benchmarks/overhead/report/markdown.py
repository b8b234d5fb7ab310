"""The report for people; a part of `docs/performance.md` is made by it, too."""

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.overhead.figures import Cost, Figure, Summary
from benchmarks.overhead.look import Content, Look
from benchmarks.overhead.machine import CALM
from benchmarks.overhead.report.conditions import Conditions
from benchmarks.overhead.variants import BARE, REQUESTS, VARIANTS, Due

_COSTS = (
    *("variant", "CPU, us", "over bare, us", "x vanilla", "requests/s", "p99, ms"),
    *("spans", "operations", "log records", "measurements"),
)


def render(
    summaries: Mapping[str, Summary], looks: Mapping[str, Look], conditions: Conditions, *, chart: str | None = None
) -> str:
    """Return the report.

    Args:
        summaries: by variant.
        looks: at what each variant sends.
        conditions: of the measurement.
        chart: the path of the drawing, as seen from the report; None for none.
    """
    lines = ["# What telemetry costs a service", "", *_method(conditions)]
    if chart:
        lines += ["", f"![CPU added to a request, in multiples of vanilla OpenTelemetry]({chart})"]
    for kind in conditions.effort.requests:
        lines += ["", f"## `{kind}`: {_kind(REQUESTS[kind])}", "", *_costs(kind, summaries)]
    lines += ["", "## Start and memory", "", *_places(summaries)]
    lines += ["", "## What each sends when nobody hurries it", "", *_contents(looks), "", *_metrics(looks)]
    return "\n".join([*lines, "", *_conditions(conditions), ""])


def _method(conditions: Conditions) -> Iterator[str]:
    effort = conditions.effort
    yield (
        "One FastAPI service under uvicorn (uvloop, httptools, one worker, alone on its core) on PostgreSQL and Redis; "
        "databases, a neighbour over HTTP, the load and the sink of all telemetry share another core. CPU is the "
        "process's clock, children and the delivery of the last telemetry included, divided by the requests; "
        f"{effort.connections} connections ask without pause, and where a request asks nobody the load does not sleep "
        f"meanwhile, for to wake it would be the server's work. Medians of {effort.rounds} interleaved round"
        f"{'s' if effort.rounds > 1 else ''} "
        "(smallest to largest); ratios hold within one report, microseconds only on its machine. The first answer of a "
        f"round is the median of {effort.starts} start{'s' if effort.starts > 1 else ''}."
    )
    yield ""
    yield (
        "What arrived stands beside what it cost. *Spans*: of those the variant itself sends when nobody hurries it; "
        "*operations*: the request, each SELECT, Redis command and call that has a span "
        "which says what it is; *measurements*: requests "
        "and calls that the histograms counted. The worst round counts. Variants ending in `-10` keep the traces of "
        "one request in ten, and owe spans for that many, give or take chance."
    )
    if effort.paced:
        yield ""
        yield f"p99 is at {effort.rate:g} requests/s, from when a request was due to its answer."


def _kind(due: Due) -> str:
    parts = [
        f"{number} {word}" + ("s" if number > 1 else "")
        for operation, word in (("sql", "SELECT"), ("redis", "Redis GET"), ("http", "call over HTTP"))
        if (number := due.spans.get(operation, 0))
    ]
    parts += [f"{due.logs} log lines"] if due.logs else []
    return ", ".join(parts) or "nothing"


def _costs(kind: str, summaries: Mapping[str, Summary]) -> Iterator[str]:
    yield from _head(_COSTS)
    for name, summary in summaries.items():
        yield _row([name, *_cells(name, summary.costs[kind])])


def _cells(name: str, cost: Cost) -> list[str]:
    arrived = cost.delivery
    return [
        _figure(cost.cpu_us, ",.0f"),
        "" if name == BARE else _figure(cost.added_us, "+,.0f"),
        "" if name == BARE else _figure(cost.ratio, ".2f"),
        _figure(cost.rate, ",.0f"),
        _figure(cost.p99_ms, ".1f"),
        *(
            [_share(arrived.spans), _share(arrived.operations), _share(arrived.logs), _share(arrived.measurements)]
            if arrived
            else [""] * 4
        ),
    ]


def _places(summaries: Mapping[str, Summary]) -> Iterator[str]:
    yield from _head(("variant", "first answer after, s", "memory at the end, MB"))
    for name, summary in summaries.items():
        yield _row([name, _figure(summary.start_s, ".2f"), _figure(summary.resident_mb, ".0f")])
        if summary.own_start_s is not None:
            yield _row([f"{name}, by `{VARIANTS[name].own_launcher}`", _figure(summary.own_start_s, ".2f"), ""])


def _contents(looks: Mapping[str, Look]) -> Iterator[str]:
    yield from _head(("variant", "request", "spans, each with its number of attributes", "log records, with a trace"))
    for name, seen in looks.items():
        for kind, content in seen.requests.items():
            if content.spans or content.logs:
                yield _row([name, kind, _spans(content), _logs(content)])


def _spans(content: Content) -> str:
    shapes = (
        f"{shape.number:.3g} {shape.kind} `{shape.name}` ({len(shape.attributes)})"
        + (f" in `{shape.parent}`" if shape.parent else "")
        for shape in content.spans
    )
    return f"{content.spans_a_request:.3g}: " + ", ".join(shapes)


def _logs(content: Content) -> str:
    return f"{content.logs:.3g}, {100 * content.linked:.0f} %" if content.logs else "0"


def _metrics(looks: Mapping[str, Look]) -> Iterator[str]:
    yield from _head(("variant", "metrics", "of requests and their calls"))
    for name, seen in looks.items():
        if name != BARE:
            requests = [metric.name for metric in seen.metrics if metric.name.startswith(("http.", "db."))]
            yield _row([name, str(len(seen.metrics)), ", ".join(f"`{metric}`" for metric in requests)])


def _conditions(conditions: Conditions) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in conditions.versions.items())
    yield f"Python {conditions.python}, {versions}; {conditions.processor or 'processor unknown'}; {conditions.day}."
    yield (
        f"A fixed loop on the server's core before each run: {_figure(conditions.calibration_ms, '.1f')} ms; "
        f"its wall time in multiples of that: {_figure(conditions.busy, '.2f')}. "
        f"Each measurement waits, for 5 s at most, until that loop is within {CALM} times its fastest. "
        f"Load average {conditions.load[0]:.1f} before, {conditions.load[1]:.1f} after; priority {conditions.niceness}."
    )


def _figure(value: Figure | None, form: str) -> str:
    if value is None:
        return ""
    median = format(value.median, form)
    low, high = format(value.low, form), format(value.high, form)
    return median if low == high else f"{median} ({low} to {high})"


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def _head(words: Sequence[str]) -> Iterator[str]:
    yield _row(words)
    yield "|" + "---|" * len(words)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
