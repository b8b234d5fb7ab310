"""What is set about deadlines and retries."""

import re
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from mita_otel.settings.values import Part, lower, split

LONGEST: Final = 3_600.0
"""Seconds: a request that takes longer is to become a job that is asked about."""

_ROUTE: Final = r"(?a)((?:(?:GET|POST|PUT|PATCH|DELETE) )?/[^\s=,]*)=([0-9]{1,4}(?:\.[0-9]{1,3})?)"


class RouteTimeout(NamedTuple):
    """Another time for a route."""

    route: str
    seconds: Annotated[float, Field(ge=0.01, le=LONGEST)]


def _routes(value: object) -> object:
    """Return the times of a text such as `POST /api/insights=60, /api/reports/*=120`; anything else as it is."""
    parts = split(value)
    if not isinstance(value, str) or not isinstance(parts, tuple):
        return value
    found = [re.fullmatch(_ROUTE, part) for part in parts]
    if not all(found):
        raise ValueError("route=seconds, separated by commas")
    return tuple(RouteTimeout(match[1], float(match[2])) for match in found if match)


class RetrySettings(Part):
    """Settings of deadlines and retries."""

    request_timeout: float = Field(
        default=30.0,
        ge=0.01,
        le=LONGEST,
        alias="MITA_REQUEST_TIMEOUT",
        title="the time that a request has unless its route or its caller says otherwise",
        description="seconds between 0.01 and 3600",
    )
    request_timeout_minimum: float = Field(
        default=0.05,
        ge=0.001,
        le=60,
        alias="MITA_REQUEST_TIMEOUT_MINIMUM",
        title="what a caller gets at least: requests that are interrupted cost connections, and anyone may ask for it",
        description="seconds between 0.001 and 60",
    )
    request_timeout_maximum: float = Field(
        default=120.0,
        ge=0.01,
        le=LONGEST,
        alias="MITA_REQUEST_TIMEOUT_MAXIMUM",
        title="what a caller may ask for at most, on routes that have no time of their own",
        description="seconds between 0.01 and 3600",
    )
    route_timeouts: Annotated[tuple[RouteTimeout, ...], BeforeValidator(_routes)] = Field(
        default=(),
        alias="MITA_ROUTE_TIMEOUTS",
        title="other times than the code's for routes, which no caller can exceed",
        description="route=seconds separated by commas, such as POST /api/insights=60, between 0.01 and 3600 seconds",
    )
    inbound_deadline: Annotated[Literal["trust", "ignore"], BeforeValidator(lower)] = Field(
        default="trust",
        alias="MITA_INBOUND_DEADLINE",
        title="whether a caller may say how long it waits, in a header",
        description="trust or ignore",
    )
