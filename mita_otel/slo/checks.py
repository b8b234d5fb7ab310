"""What a schema cannot say: objectives that can be missed, thresholds that can be seen, names that mean something."""

from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Final
from zoneinfo import ZoneInfo

from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.instrument import Histogram
from mita_otel.slo import openslo
from mita_otel.slo.documents import Document, Place
from mita_otel.slo.routes import Route, Routes
from mita_otel.slo.windows import DAY, Calendar, Period, Rolling, Unit, seconds

_RATIO: Final[Place] = ("spec", "indicator", "spec", "ratioMetric")
TOTAL: Final[Place] = (*_RATIO, "total", "metricSource", "spec")
GOOD: Final[Place] = (*_RATIO, "good", "metricSource", "spec")

_CALENDARS: Final[dict[str, Unit]] = {"1w": "week", "1M": "month"}
_SHORTEST, _LONGEST = DAY, 31 * DAY
"""Seconds of a rolling period: below a day the burn windows are longer than what they warn of, above 31 days no ring
holds it."""


def names(things: Iterable[tuple[Document, openslo.Known]]) -> Iterator[str]:
    """Yield a problem for each name that was given before to a thing of its kind."""
    seen: dict[tuple[str, str], int] = {}
    for document, thing in things:
        # Objectives and indicators share their names: both are what a status lists.
        key = ("SLO" if thing.kind == "SLI" else thing.kind, thing.metadata.name)
        line = document.lines["metadata", "name"]
        if key in seen:
            yield document.problem(("metadata", "name"), f"{key[1]!r} is taken already, in line {seen[key]}")
        seen.setdefault(key, line)


def slo(document: Document, thing: openslo.SLO, services: set[str]) -> Iterator[str]:
    """Yield the problems of one objective."""
    spec = thing.spec
    if spec.service not in services:
        yield document.problem(("spec", "service"), f"{spec.service!r} is not described by a document of kind Service")
    target = spec.objectives[0].target
    if not 0 < target < 1:
        told = "leaves no budget, and would never be kept" if target >= 1 else "promises nothing"
        yield document.problem(
            ("spec", "objectives", 0, "target"), f"{target} {told}: write a share above 0 and below 1, such as 0.999"
        )
    yield from _period(document, spec.timeWindow[0])
    yield from _indicator(document, thing)


def indicator(document: Document, thing: openslo.SLI) -> Iterator[str]:
    """Yield the problems of what has no budget."""
    place = ("spec", "thresholdMetric", "metricSource", "spec")
    spec = thing.spec.thresholdMetric.metricSource.spec
    yield from _metric(document, (*place, "metric"), spec.metric)
    try:
        whole = seconds(spec.over).is_integer()
    except ValueError as error:
        yield document.problem((*place, "over"), str(error))
        return
    if not whole:
        yield document.problem((*place, "over"), f"{spec.over!r} has no whole seconds")


def _indicator(document: Document, thing: openslo.SLO) -> Iterator[str]:
    total = thing.spec.indicator.spec.ratioMetric.total.metricSource.spec
    good = thing.spec.indicator.spec.ratioMetric.good.metricSource.spec
    about = thing.metadata.labels.type
    type_place = ("metadata", "labels", "type")
    if isinstance(total, openslo.Events):
        if not isinstance(good, openslo.Events) or good.events != total.events or good.outcome is None:
            yield document.problem(GOOD, "does not name the good ones of the same events: outcome: good is needed")
        if total.outcome is not None:
            yield document.problem((*TOTAL, "outcome"), "leaves out the bad ones of all")
        if about in {"availability", "latency"}:
            yield document.problem(type_place, f"{about!r} is told by requests, not by events")
        return
    yield from _routes(document, total)
    if isinstance(good, openslo.Events):
        yield document.problem(GOOD, "names events, of which requests are not the total")
    elif isinstance(good, openslo.Within):
        yield from _threshold(document, good)
    expected = "latency" if isinstance(good, openslo.Within) else "availability"
    if about != expected and not isinstance(good, openslo.Events):
        yield document.problem(type_place, f"{about!r} does not fit what is counted, which is {expected!r}")


def _routes(document: Document, total: openslo.Requests) -> Iterator[str]:
    known: list[Route] = []
    for key, texts in (("routes", total.routes), ("exceptRoutes", total.exceptRoutes)):
        known.clear()
        for position, text in enumerate(texts):
            place = (*TOTAL, key, position)
            try:
                route = Route.read(text)
            except ValueError as error:
                yield document.problem(place, str(error))
                continue
            other = next((each for each in known if each.covers(route) or route.covers(each)), None)
            if other is not None:
                yield document.problem(place, f"{route} overlaps {other} of the same list: leave one out")
            known.append(route)


def _threshold(document: Document, good: openslo.Within) -> Iterator[str]:
    yield from _metric(document, (*GOOD, "metric"), good.metric)
    place = (*GOOD, "within")
    try:
        limit = threshold(good)
    except ValueError as error:
        yield document.problem(place, str(error))
        return
    metric = INSTRUMENTS.get(good.metric)
    if isinstance(metric, Histogram) and limit not in metric.buckets:
        nearest = min(metric.buckets, key=lambda bound: (abs(bound - limit), bound))
        yield document.problem(
            place,
            f"{good.within} is no bound of {good.metric}, so that nobody could see it there:"
            f" the nearest is {nearest:g}s, others go into the catalogue",
        )


def _metric(document: Document, place: Place, name: str) -> Iterator[str]:
    metric = INSTRUMENTS.get(name)
    if metric is None:
        yield document.problem(place, f"{name!r} is not in the catalogue of metrics")
    elif not isinstance(metric, Histogram) or metric.unit != "s":
        yield document.problem(place, f"{name!r} is no distribution of durations")


def _period(document: Document, window: openslo.TimeWindow) -> Iterator[str]:
    place = ("spec", "timeWindow", 0)
    try:
        period(window)
    except (ValueError, KeyError) as error:
        field = "calendar" if isinstance(error, KeyError) else "duration"
        yield document.problem((*place, field), str(error.args[0]))


def period(window: openslo.TimeWindow) -> Period:
    """Return the period that a window describes.

    Raises:
        ValueError: its duration is none that it may have.
        KeyError: its calendar does not fit.
    """
    if window.isRolling:
        if window.calendar is not None:
            raise KeyError("a rolling window has no calendar")
        length = seconds(window.duration)
        if not _SHORTEST <= length <= _LONGEST or length % DAY:
            raise ValueError(f"{window.duration!r} is not between 1d and 31d, in whole days")
        return Rolling(int(length))
    if window.duration not in _CALENDARS:
        raise ValueError(f"{window.duration!r} is no calendar's: write 1w or 1M, or isRolling: true")
    if window.calendar is None:
        raise KeyError("a window that does not roll needs a calendar")
    name = window.calendar.timeZone
    try:
        return Calendar(_CALENDARS[window.duration], UTC if name == "UTC" else ZoneInfo(name))
    except (ValueError, OSError, KeyError) as error:
        raise KeyError(f"{name!r} is no time zone of the IANA's list") from error


def routes(total: openslo.Requests) -> Routes:
    """Return the requests that are counted.

    Raises:
        ValueError: a pattern is none.
    """
    return Routes(tuple(map(Route.read, total.routes)), tuple(map(Route.read, total.exceptRoutes)))


def threshold(good: openslo.Within) -> float:
    """Return the seconds that a good request may take.

    Raises:
        ValueError: they are no duration.
    """
    return seconds(good.within)
