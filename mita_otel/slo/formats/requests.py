"""What a query counts, where it counts requests: which routes, and what is good about a good one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mita_otel.slo.formats.promql import Matcher, Selector
from mita_otel.slo.routes import Route

_METRICS: Final = re.compile(
    r"(?:mita_)?http_(?:server_)?requests?(?:_duration)?(?:_seconds)?(?:_total|_count|_bucket)?", re.ASCII
)
_METHOD: Final = frozenset({"method", "http_method", "http_request_method"})
_ROUTE: Final = frozenset({"route", "path", "handler", "endpoint", "uri", "http_route"})
_STATUS: Final = frozenset({"code", "status", "status_code", "http_status_code", "http_response_status_code"})

_FAILED: Final = frozenset({"5..", "5xx", "5\\d\\d", "5\\d{2}", "5[0-9]{2}", "5[0-9][0-9]", "5.*", "5.+", "^5..$"})
_LITERAL: Final = re.compile(r"[^.*+?()\[\]^$|\\]+", re.ASCII)
_BELOW: Final = re.compile(r"([^.*+?()\[\]^$|\\]*/)(?:\.\*|\.\+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests that a query counts.

    Attributes:
        routes: patterns, as our files write them.
        threshold: seconds that a good one takes at most; None where its status decides.
        notes: what is counted otherwise than there.
    """

    routes: tuple[str, ...]
    threshold: float | None
    notes: tuple[str, ...]


def by_status(errors: Selector, total: Selector) -> Counted:
    """Return what is counted by a query for errors among all.

    Raises:
        ValueError: it is something else than requests that failed.
    """
    _known(errors, total)
    [*others] = [each for each in errors.matchers if each not in total.matchers]
    if len(others) != 1 or others[0].label not in _STATUS or others[0].operator not in {"=~", "="}:
        raise ValueError("does not count errors by their status alone")
    alternatives = others[0].value.strip("^$").removeprefix("(").removesuffix(")").split("|")
    rest = [each for each in alternatives if each not in _FAILED]
    if len(rest) == len(alternatives) or not all(re.fullmatch(r"[45]\d\d", each) for each in rest):
        raise ValueError(f"counts {others[0]} as errors, which is not 500 and above")
    notes = [f"{status} is no error here" for status in rest if status.startswith("4")]
    return Counted(tuple(_routes(total)), None, (*notes, *_left_out(total)))


def by_duration(good: Selector, total: Selector) -> Counted:
    """Return what is counted by a query for requests that are fast enough among all.

    Raises:
        ValueError: it is something else.
    """
    limits = good.of(lambda each: each.label == "le" and each.operator == "=")
    if len(limits) != 1 or not good.metric.endswith("_bucket"):
        raise ValueError('does not count the requests of one bucket: le="seconds" is needed')
    return within(_seconds(limits[0].value), total)


def within(threshold: float, total: Selector) -> Counted:
    """Return what is counted by a query for requests that take no longer than so many seconds.

    Raises:
        ValueError: it is something else.
    """
    _known(total)
    notes = ("only answers with a status below 400 are counted here",)
    return Counted(tuple(_routes(total)), threshold, (*notes, *_left_out(total)))


def _known(*selectors: Selector) -> None:
    for each in selectors:
        if _METRICS.fullmatch(each.metric) is None:
            raise ValueError(f"counts {each.metric}, which is none of the known metrics of requests")


def _routes(total: Selector) -> Iterator[str]:
    methods = list(_alternatives(total.of(lambda each: each.label in _METHOD))) or [""]
    paths = list(_alternatives(total.of(lambda each: each.label in _ROUTE))) or ["*"]
    for method in methods:
        for path in paths:
            below = _BELOW.fullmatch(path)
            if path != "*" and below is None and _LITERAL.fullmatch(path) is None:
                raise ValueError(f"names routes by an expression that is none of ours: {path!r}")
            text = f"{below[1]}*" if below else path
            yield str(Route.read(f"{method} {text}" if method else text))


def _alternatives(matchers: tuple[Matcher, ...]) -> Iterator[str]:
    for each in matchers:
        if each.operator == "=":
            yield each.value
        elif each.operator == "=~":
            yield from each.value.strip("^$").removeprefix("(").removesuffix(")").split("|")
        else:
            raise ValueError(f"leaves out requests by {each}")


def _left_out(total: Selector) -> Iterator[str]:
    for each in total.matchers:
        if each.label not in _METHOD | _ROUTE | {"le"}:
            yield f"{each} is left out: the service that reads the file counts its own requests"


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError(f"le={text!r} is no number of seconds") from error
