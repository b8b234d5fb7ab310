"""Names of dashboards and of their variables that do not change: alerts, runbooks and bookmarks point at them."""

from typing import Final
from urllib.parse import quote

OVERVIEW: Final = "mita-overview"
BUSINESS: Final = "mita-business"
PERFORMANCE: Final = "mita-performance"
RELIABILITY: Final = "mita-reliability"
SLO: Final = "mita-slo"
SERVICE: Final = "mita-service"
TELEMETRY: Final = "mita-telemetry"

UIDS: Final = (OVERVIEW, BUSINESS, PERFORMANCE, RELIABILITY, SLO, SERVICE, TELEMETRY)
"""The five of the observability report, section 6.1 #3, in its order, and two more."""

VARIABLES: Final = ("environment", "service", "instance", "route", "slo")
"""What a link may choose; a dashboard without one of them passes over it."""


def path(uid: str, **variables: str) -> str:
    """Return the path of a dashboard below Grafana's address.

    Args:
        uid: one of `UIDS`.
        variables: values by name of variable. One that begins with `{{`, an alert's template, stays as it is.

    Raises:
        ValueError: no such dashboard, or no such variable.
    """
    if uid not in UIDS:
        raise ValueError(f"no dashboard has the uid {uid}: use one of {', '.join(UIDS)}")
    if unknown := sorted(set(variables) - set(VARIABLES)):
        raise ValueError(f"no dashboard has a variable {unknown[0]}: use one of {', '.join(VARIABLES)}")
    chosen = "&".join(f"var-{name}={_value(value)}" for name, value in variables.items())
    return f"/d/{uid}" + (f"?{chosen}" if chosen else "")


def _value(value: str) -> str:
    return value if value.startswith("{{") else quote(value, safe="")
