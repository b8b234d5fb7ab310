"""Every query of every dashboard, asked of the real backends after the demonstration."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import pytest

from mita_otel.dashboards import UIDS
from tests.stack.demonstration import NAME, Shown
from tests.stack.grafana import Answer, Chosen, Grafana, Moment
from tests.unit.dashboards.files import Asked, every_query, queries, read

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

SECONDS: Final = 0.2
"""What a query may take."""
_TRIES: Final = 3
_AT_ONCE: Final = 4
_RANGES: Final = {"1h": 3600.0, "6h": 6 * 3600.0, "30d": 30 * 86_400.0}

_WANTED: Final = {"service": NAME, "route": "/api/transactions", "slo": "service-availability"}
"""What to choose of what there is; else the first."""


@pytest.fixture(scope="module")
def grafana(shown: Shown) -> Iterator[Grafana]:
    with httpx.Client(trust_env=False, timeout=60) as client:
        yield Grafana(shown.stack.endpoints, client)


def _moment(uid: str, panel: str, shown: Shown) -> Moment:
    board = read(uid)
    own = next((one.get("timeFrom") for one in board["panels"] if one["title"] == panel), None)
    return Moment(shown.until, _RANGES[own or board["time"]["from"].removeprefix("now-")])


def _all(uid: str) -> Chosen:
    return {variable["name"]: variable["allValue"] for variable in _variables(uid)}


def _variables(uid: str) -> Iterator[dict[str, Any]]:
    yield from (variable for variable in read(uid)["templating"]["list"] if variable["type"] == "query")


def _one_of_each(uid: str, grafana: Grafana, shown: Shown) -> Chosen:
    """Choose one value of each variable, as a user would: from the left to the right."""
    chosen: dict[str, str | list[str]] = dict(_all(uid))
    for variable in _variables(uid):
        values = grafana.values_of(variable, chosen, _moment(uid, "", shown))
        assert values, f"{uid}: nothing to choose for {variable['name']}"
        chosen[variable["name"]] = [_WANTED.get(variable["name"], values[0])]
        assert set(chosen[variable["name"]]) <= set(values)
    return chosen


def _asked_all(grafana: Grafana, shown: Shown, chosen: dict[str, Chosen]) -> list[tuple[str, Asked, Answer]]:
    everything = list(every_query())
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(
            lambda one: grafana.ask(one[1].target, chosen[one[0]], _moment(one[0], one[1].panel, shown)), everything
        )
        return [(uid, asked, answer) for (uid, asked), answer in zip(everything, answers, strict=True)]


@pytest.mark.parametrize("choice", ["all", "one"])
def test_every_query_has_an_answer(shown: Shown, grafana: Grafana, choice: str) -> None:
    chosen = {uid: _all(uid) if choice == "all" else _one_of_each(uid, grafana, shown) for uid in UIDS}
    answered = _asked_all(grafana, shown, chosen)
    wrong = {
        f"{uid}: {asked.panel}, {asked.target['refId']}": answer.error or f"nothing to {asked.target['expr']}"
        for uid, asked, answer in answered
        if answer.error or not answer.values
    }
    assert not wrong, "\n".join(f"{where}: {what}" for where, what in wrong.items())
    slow = {
        f"{uid}: {asked.panel}, {asked.target['refId']}": seconds
        for uid, asked, answer in answered
        if answer.seconds > SECONDS
        and (seconds := _best(grafana, asked, chosen[uid], _moment(uid, asked.panel, shown))) > SECONDS
    }
    assert slow == {}


def _best(grafana: Grafana, asked: Asked, chosen: Chosen, moment: Moment) -> float:
    """Return the least of three tries, alone: what it takes, and not what else the machine does."""
    return min(grafana.ask(asked.target, chosen, moment).seconds for _ in range(_TRIES))


@pytest.mark.parametrize(
    ("uid", "panel"),
    [
        ("mita-overview", "Error rate"),
        ("mita-overview", "Circuit breakers"),
        ("mita-reliability", "Error rate by category"),
        ("mita-reliability", "Error rate by severity"),
        ("mita-reliability", "Circuit breaker trips"),
        ("mita-reliability", "Failed authentications"),
        ("mita-slo", "Error budget burn rate"),
        ("mita-slo", "Spent by dependency"),
        ("mita-slo", "Ledger"),
        ("mita-service", "Starts"),
    ],
)
def test_what_went_wrong_is_to_be_seen(shown: Shown, grafana: Grafana, uid: str, panel: str) -> None:
    [asked] = [one for one in queries(uid) if one.panel == panel]
    assert grafana.ask(asked.target, _all(uid), _moment(uid, panel, shown)).largest > 0


def test_a_variable_without_a_value_makes_no_panel_fail(shown: Shown, grafana: Grafana) -> None:
    answered = _asked_all(grafana, shown, {uid: dict.fromkeys(_all(uid), "") for uid in UIDS})
    assert {f"{uid}: {asked.panel}": answer.error for uid, asked, answer in answered if answer.error} == {}


def test_a_latency_leads_to_a_trace_that_is_stored(shown: Shown) -> None:
    [latency] = [
        asked for asked in queries("mita-overview") if asked.panel == "Latency" and asked.target["refId"] == "B"
    ]
    assert latency.target["exemplar"] is True
    endpoints = shown.stack.endpoints
    asked: dict[str, str | float] = {
        "query": "http_server_request_duration_seconds_bucket",
        "start": shown.until - 600,
        "end": shown.until,
    }
    answer = httpx.get(f"{endpoints.prometheus}/api/v1/query_exemplars", params=asked, timeout=30, trust_env=False)
    ids = [one["labels"]["trace_id"] for series in answer.json()["data"] for one in series["exemplars"]]
    assert httpx.get(f"{endpoints.jaeger}/api/traces/{ids[-1]}", timeout=30, trust_env=False).status_code == 200
