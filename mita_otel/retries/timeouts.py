"""How long a request may take: by its route, within which its caller may ask for less."""

from collections.abc import Mapping
from math import inf
from typing import Any, NamedTuple

from mita_otel.ratelimit import Routes, parsed, path_of
from mita_otel.retries.headers import NOTHING, Wish
from mita_otel.settings import RetrySettings, Settings, SettingsError, environment


class Allowance(NamedTuple):
    """What a request is given.

    Attributes:
        seconds: `inf` for no limit.
        source: `route`, `default`, or the header that asked for less.
    """

    seconds: float
    source: str


class Timeouts:
    """Knows the time of every route.

    Args:
        routes: seconds by route, such as `POST /api/insights`, `/api/things/{thing}` or `/api/reports/*`; `inf` for no
            limit at all. The most exact one counts; the settings' own come before.
        settings: those of the environment by default.

    Raises:
        ValueError: a route or its seconds are not allowed.
        SettingsError: a setting is not allowed.
    """

    __slots__ = ("_default", "_maximum", "_minimum", "_routes", "trusts_callers")

    def __init__(self, routes: Mapping[str, float], settings: RetrySettings | None = None) -> None:
        chosen = settings or _from_environment()
        for route, seconds in routes.items():
            if isinstance(seconds, bool) or not seconds > 0:
                raise ValueError(f"routes[{route!r}]={seconds!r} is not allowed: seconds, more than 0")
        times = {**routes, **{each.route: each.seconds for each in chosen.route_timeouts}}
        self._routes = Routes((seconds, [parsed(route)]) for route, seconds in _most_exact_first(times))
        self._default = chosen.request_timeout
        self._minimum = chosen.request_timeout_minimum
        self._maximum = max(chosen.request_timeout, chosen.request_timeout_maximum)
        self.trusts_callers = chosen.inbound_deadline == "trust"

    def of(self, scope: Mapping[str, Any], wish: Wish = NOTHING) -> Allowance:
        """Return what a request is given: an ASGI scope, and what its caller asks for."""
        found = self._routes.matching(scope["method"], path_of(scope))
        if found:
            most, otherwise = found[0], Allowance(found[0], "route")
        else:
            most, otherwise = self._maximum, Allowance(self._default, "default")
        if wish.seconds < inf:
            # Who asks for more than there can be, or for less than makes sense, gets what there can be.
            return Allowance(min(max(wish.seconds, self._minimum), most), wish.header)
        return otherwise


def _most_exact_first(times: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(times.items(), key=lambda item: (item[0].endswith("*"), item[0].count("{"), -len(item[0])))


def _from_environment() -> RetrySettings:
    """Read the settings; unlike telemetry, a time that is not what somebody meant must not go unnoticed."""
    settings, problem = Settings.read_leniently(environment())
    ours = {str(field.alias) for field in RetrySettings.model_fields.values()}
    wrong = {name: sentence for name, sentence in problem.problems.items() if name in ours} if problem else {}
    if wrong:
        raise SettingsError(wrong)
    return settings
