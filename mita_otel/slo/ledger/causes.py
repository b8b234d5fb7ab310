"""What a bad event is put down to: five words, found in what is known already when it happens."""

import sys
from http import HTTPStatus
from typing import Final, NamedTuple

from mita_otel.errors.fingerprint import root_cause
from mita_otel.traces import request
from mita_otel.traces.request import Served

NONE: Final = "none"
"""Where there was nothing of a kind: no flag was evaluated, nobody else failed."""

SLOW: Final = "slow"
"""The type of error of a request that went well, and took too long."""

DOMINANT: Final = 0.5
"""Share of a request's time from which on a dependency is why it took so long."""

FLAGS_TOLD: Final = 3
"""Flags of one event that are named; each more is counted."""

LONGEST: Final = 200
"""Characters of a contributor that are told."""


class Cause(NamedTuple):
    """What contributed to a bad event, by dimension.

    Attributes:
        route: the template of the request's route.
        error_type: the exception's class, the status where there is none, `slow`, or the event's name.
        dependency: whose operation failed last, or took most of the time.
        version: of the service.
        flag: feature flags that were evaluated, with their variants.
    """

    route: str
    error_type: str
    dependency: str
    version: str
    flag: str


DIMENSIONS: Final = Cause._fields


def of_request(route: str, status: int, seconds: float, failure: BaseException | None, *, version: str = NONE) -> Cause:
    """Return what a request that has just ended is put down to.

    Args:
        route: the template; empty where none was found.
        status: of the answer; below 500 it went well, but for its time.
        seconds: that it took.
        failure: what left the application.
        version: of the service.
    """
    served = request.current()
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _cause(route, SLOW, _dominant(served, seconds) or _failed(served), version, served)
    error_type = type_of(failure) if isinstance(failure, Exception) else None
    if error_type is None and served is not None:
        error_type = served.error
    return _cause(route, error_type or str(status), _failed(served) or _dominant(served, seconds), version, served)


def of_event(name: str, *, version: str = NONE) -> Cause:
    """Return what an event is put down to that the code tells of: to what happened in the request under way.

    Args:
        name: of the event; stands for the error where no exception is being handled.
        version: of the service.
    """
    served = request.current()
    error = sys.exception()
    route = served.route() if served is not None and served.route is not None else None
    return _cause(route or "", name if error is None else type_of(error), _failed(served), version, served)


def type_of(error: BaseException) -> str:
    """Return the name of the class of what an error began with."""
    return type(root_cause(error)).__qualname__


def _cause(route: str, error_type: str, dependency: str | None, version: str, served: Served | None) -> Cause:
    flag = _flags(served.flags) if served is not None and served.flags else NONE
    return Cause(route or NONE, error_type or NONE, dependency or NONE, version, flag)


def _failed(served: Served | None) -> str | None:
    return None if served is None else served.failed


def _dominant(served: Served | None, seconds: float) -> str | None:
    waits = None if served is None else served.waits
    if not waits:
        return None
    longest = max(waits, key=waits.__getitem__)
    return longest if waits[longest] >= DOMINANT * seconds else None


def _flags(flags: dict[str, str]) -> str:
    # Copied in one step: a thread of the request may evaluate one more.
    told = [f"{key}={variant}" for key, variant in sorted(flags.copy().items())]
    more = len(told) - FLAGS_TOLD
    return ", ".join(told[:FLAGS_TOLD]) + (f", {more} more" if more > 0 else "")
