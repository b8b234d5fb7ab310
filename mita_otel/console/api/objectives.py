"""The questions of the page SLO: how objectives stand, and how the budget of one was spent."""

import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Final

from mita_otel.console.api import parameters as p
from mita_otel.console.api.endpoints import NotFoundError
from mita_otel.console.api.objectives_json import Json, objective_json, spending_json
from mita_otel.console.api.parameters import ParameterError, Values
from mita_otel.console.reading.objectives import OBJECTIVES_LIMIT, Objective, objectives_of
from mita_otel.console.reading.spending import services_of, spending_of
from mita_otel.slo.policy import State

_OFFERED: Final = 100
"""Values of a filter that are offered."""


def _objectives(connection: sqlite3.Connection, values: Values) -> Json:
    found = objectives_of(connection, _now(), values["service"])
    meant = [each for each in found.all if _is_meant(each, values)]
    return {
        "objectives": list(map(objective_json, meant[:OBJECTIVES_LIMIT])),
        "left_out": max(len(meant) - OBJECTIVES_LIMIT, 0),
        "tiers": _values(found.all, lambda each: each.promise.about.get("tier", "")),
        "owners": _values(found.all, lambda each: each.promise.about.get("owner", "")),
        "parts": _values(found.all, lambda each: each.promise.about.get("part", "")),
        "start": found.start,
        "step": found.step,
    }


def _is_meant(one: Objective, values: Values) -> bool:
    about = {**one.promise.about, "state": one.state.value}
    return all(not values[key] or about.get(key, "") == values[key] for key in ("tier", "owner", "part", "state"))


def _values(those: Iterable[Objective], of: Callable[[Objective], str]) -> list[str]:
    return sorted({of(each) for each in those} - {""})[:_OFFERED]


def _objective(connection: sqlite3.Connection, values: Values) -> Json:
    now, id_ = _now(), values["id"]
    services = [values["service"]] if values["service"] else services_of(connection, now, id_)
    if len(services) > 1:
        raise ParameterError("service", "", f"several have an objective {id_}: name one of {', '.join(services)}")
    found = spending_of(connection, now, services[0], id_) if services else None
    if found is None:
        raise NotFoundError(f"no objective {id_} is here, or none of this service")
    return {**spending_json(found), "now": now}


def _now() -> int:
    return time.time_ns() // 1000


_SERVICE: Final = p.text("service")

DECLARED: Final = (
    (
        "slos",
        "objectives and their error budgets, the worst first",
        _objectives,
        (_SERVICE, p.text("tier"), p.text("owner"), p.text("part"), p.choice("state", *(each.value for each in State))),
    ),
    ("slos/{id:path}", "an objective, its burn-down and its ledger", _objective, (p.text("id"), _SERVICE)),
)
"""As `bearing.DECLARED`."""
