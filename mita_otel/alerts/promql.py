"""Pieces of PromQL that alerts share, each right where the obvious one is wrong."""

from collections.abc import Iterable
from typing import Final

from mita_otel.metrics.catalogue import process
from mita_otel.metrics.instrument import Histogram

SERVICE: Final = ("service_name", "deployment_environment_name")
"""Labels of a service in a place: production's failures are not spread over staging's requests."""

PROCESS: Final = ("job", "instance")
"""Labels of one process, whether it is scraped or pushes."""

HEARTBEAT: Final = process.UPTIME.prometheus_name
"""What a process tells as long as it lives: with OTLP there is no `up`."""


def labels(*names: str | Iterable[str]) -> str:
    """Return names of labels as a clause takes them."""
    flat = [each for name in names for each in ([name] if isinstance(name, str) else name)]
    return f"({', '.join(flat)})"


def total(vector: str, *names: str | Iterable[str]) -> str:
    """Return the sum of a vector by service and further labels."""
    return f"sum by {labels(SERVICE, *names)} ({vector})"


def events(series: str, window: str = "5m", by: Iterable[str] = ()) -> str:
    """Return how many events of a window there were, by service and further labels."""
    return total(f"increase({series}[{window}])", by)


def share(
    part: str, whole: str, *, above: float, at_least: float, window: str, still: str, by: Iterable[str] = ()
) -> str:
    """Return the share that a part has of a whole, where it is above a bound and the part is not only a few.

    Both sides are sums: a division of the series themselves would pair each with itself, and be 1 or nothing. In a
    quiet night one of two events is a half, and no reason to wake anybody: hence the least number. What happened at
    once stays in a window for as long as that is: hence a second, short one, which shows that it goes on.

    Args:
        part: a counter's series.
        whole: those that the part is one of.
        above: the bound, 0 to 1.
        at_least: events of the part.
        window: that they are counted in.
        still: the short window.
        by: further labels.
    """
    few, all_ = events(part, window, by), events(whole, window, by)
    return (
        f"{few} / {all_} > {above:g}\n"
        f"and {events(part, still, by)} / {events(whole, still, by)} > {above:g}\n"
        f"and {few} >= {at_least:g}"
    )


def quantile(
    histogram: Histogram,
    rank: float,
    *,
    above: float,
    at_least: float,
    window: str,
    where: str = "",
    by: Iterable[str] = (),
) -> str:
    """Return a quantile over all processes where it is above a bound, and at least so many measurements are.

    Args:
        histogram: what is measured.
        rank: 0.95 for the 95th percentile.
        above: a bound of its buckets: a threshold between two would be a guess.
        at_least: measurements above it.
        window: that they are counted in; shorter than the alert has to last, or all at once would be enough.
        where: matchers, with a comma behind each.
        by: further labels.

    Raises:
        ValueError: no bucket ends there.
    """
    if above not in histogram.buckets:
        raise ValueError(f"{histogram.name} has no bucket that ends at {above:g}: use one of {histogram.buckets}")
    name, clause = histogram.prometheus_name, tuple(by)
    buckets = f"sum by {labels(SERVICE, clause, 'le')} (rate({name}_bucket{{{where}}}[{window}]))"
    within = events(f'{name}_bucket{{{where}le=~"{above:g}([.]0)?"}}', window, clause)
    return (
        f"histogram_quantile({rank:g}, {buckets}) > {above:g}\n"
        f"and {events(f'{name}_count{{{where}}}', window, clause)} - {within} >= {at_least:g}"
    )


def new_or_more(series: str, window: str, alive: str) -> str:
    """Return the increase of counters over a window, of which some are born with their first event.

    `increase` knows nothing of a counter that was not there before. Such a one is taken whole where its process was
    seen a window ago, and so would have been it, or is younger than that: what only was away (Prometheus or the
    process's telemetry was) is not counted as new.

    Args:
        series: of the counters.
        window: of time.
        alive: processes that were there a window ago, or are younger than one.
    """
    on = f"on {labels(PROCESS)}"
    return f"({series} unless {series} offset {window} and {on} {alive} or increase({series}[{window}]))"
