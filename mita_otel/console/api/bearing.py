"""The questions of the pages Resilience and Health: what services bear, how well they are, and their errors."""

import sqlite3
import time
from typing import Final

from mita_otel.console.api import parameters as p
from mita_otel.console.api.bearing_json import Json, group_json, resilience_json, service_json
from mita_otel.console.api.parameters import Values
from mita_otel.console.reading.errors import Period, groups_of
from mita_otel.console.reading.figures import Figures
from mita_otel.console.reading.resilience import resilience_of
from mita_otel.console.reading.wellness import wellness_of
from mita_otel.console.store.minutes import MINUTE

_SECOND: Final = 1_000_000


def _figures(connection: sqlite3.Connection, values: Values) -> Figures:
    now = time.time_ns() // 1000
    return Figures(connection, now - values["window"] * _SECOND, now, values["service"])


def _resilience(connection: sqlite3.Connection, values: Values) -> Json:
    return resilience_json(resilience_of(connection, _figures(connection, values)))


def _health(connection: sqlite3.Connection, values: Values) -> Json:
    return {"services": list(map(service_json, wellness_of(connection, _figures(connection, values))))}


def _errors(connection: sqlite3.Connection, values: Values) -> Json:
    period = Period.until(time.time_ns() // 1000, values["window"] * _SECOND)
    found = groups_of(connection, period, values["service"])
    return {
        "groups": list(map(group_json, found.groups)),
        "left_out": found.left_out,
        "start": period.first * MINUTE,
        "step": period.step * MINUTE,
        "since": found.since * MINUTE,
    }


_ASKED: Final = (p.text("service"), p.window("window"))

DECLARED: Final = (
    ("resilience", "breakers, rate limits, retries, timeouts, degraded features and flags", _resilience, _ASKED),
    ("health", "how well services are, and their checks", _health, _ASKED),
    ("errors", "groups of errors", _errors, _ASKED),
)
"""Paths below `/api/console/`, what they answer, what makes the answer, and its parameters."""
