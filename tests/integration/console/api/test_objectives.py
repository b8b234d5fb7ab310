"""Objectives and how their budgets were spent, shape by shape."""

import time

import pytest

from tests.fixtures.console_figures import Measured, gauge
from tests.fixtures.console_file import AT, SECOND, ConsoleFile, Sent, metrics, traces
from tests.fixtures.console_objectives import happened, promised, spent
from tests.integration.console.api.conftest import Ask

TRACE = f"{7:032x}"
DAY = 86_400


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be AT."""
    monkeypatch.setattr(time, "time_ns", lambda: AT * 1000)


def test_how_objectives_stand(file: ConsoleFile, ask: Ask) -> None:
    file.send(metrics("shop", happened((-60, 880, 15), (0, 980, 20)), *promised(tier="2")))
    answer = ask("/api/console/slos", service="shop", tier="2", owner="sales", part="shop", state="ok")
    (found,) = answer.pop("objectives")
    assert answer == {
        "left_out": 0,
        "tiers": ["2"],
        "owners": ["sales"],
        "parts": ["shop"],
        "start": AT - 60 * SECOND,
        "step": 2_000_000,
    }
    trend, alerts = found.pop("trend"), found.pop("alerts")
    assert len(trend) == 30
    assert (trend[0], trend[-1]) == (pytest.approx(0.85), pytest.approx(0.8))
    assert [(each["severity"], each["long"], each["short"], each["state"]) for each in alerts] == [
        ("page", "1h", "5m", "frozen"),
        ("page", "6h", "30m", "frozen"),
        ("ticket", "1d", "2h", "frozen"),
        ("ticket", "3d", "6h", "frozen"),
    ]
    assert found == {
        "id": "orders",
        "title": "Orders: availability",
        "service": "shop",
        "part": "shop",
        "owner": "sales",
        "tier": "2",
        "type": "availability",
        "objective": 0.9,
        "period": "30d",
        "period_seconds": 30.0 * DAY,
        "state": "ok",
        "compliant": True,
        "sli": 0.98,
        "good": 980.0,
        "bad": 20.0,
        "total": 1000.0,
        "coverage": pytest.approx(1 / 30),
        "since": AT - DAY * SECOND,
        "heard": AT,
        "measurable": True,
        "error_budget": {
            "allowed_ratio": 0.1,
            "allowed_events": 100.0,
            "consumed_ratio": pytest.approx(0.2),
            "remaining_ratio": pytest.approx(0.8),
            "remaining_events": 80.0,
            "remaining_minutes": pytest.approx(0.8 * 0.1 * 30 * 1440),
        },
        "burn_rate": {
            **dict.fromkeys(("5m", "30m", "1h", "2h", "6h"), pytest.approx(5 / 105 / 0.1)),
            "1d": pytest.approx(0.2),
            "3d": pytest.approx(0.2),
        },
        "countdown_seconds": pytest.approx(0.8 * 30 * DAY / (5 / 105 / 0.1)),
        "policy_stage": "normal",
        "recommended_action": "normal_operations",
        "actions": ["Normal deployment cadence", "Continue feature development", "No restrictions"],
    }


def test_objectives_are_filtered(file: ConsoleFile, ask: Ask) -> None:
    for slo, bad, about in (("a", 1, {"tier": "1"}), ("b", 99, {"tier": "2", "owner": "search"})):
        file.send(metrics("shop", happened((0, 100, bad), slo=slo), *promised(slo, 0.9, **about)))
    for asked, expected in (
        ({}, ["b", "a"]),
        ({"tier": "1"}, ["a"]),
        ({"owner": "search"}, ["b"]),
        ({"state": "exhausted"}, ["b"]),
        ({"state": "no_data"}, []),
        ({"service": "bank"}, []),
    ):
        answer = ask("/api/console/slos", **asked)
        assert [each["id"] for each in answer["objectives"]] == expected, asked
        assert answer["owners"] == ([] if "service" in asked else ["sales", "search"])
    ask("/api/console/slos", state="fine", status=400)


def test_many_objectives_are_answered_in_part(file: ConsoleFile, ask: Ask) -> None:
    given = [happened((0, 100, number), slo=f"{number:03}") for number in range(203)]
    file.send(metrics("shop", *given))
    answer = ask("/api/console/slos")
    assert (len(answer["objectives"]), answer["left_out"]) == (200, 3)


def test_how_a_budget_was_spent(file: ConsoleFile, ask: Ask) -> None:
    remaining = Measured(0.4, labels={"slo": "orders", "scope": "service"})
    file.send(
        metrics("shop", happened((-120, 500, 0), (0, 980, 20), start=-120), *promised()),
        metrics("shop", spent({"route": {"/orders": 15, "/carts": 5}}, trace=7)),
        metrics("shop", gauge("mita.slo.error_budget.remaining", remaining)),
        traces("shop", Sent(trace=7)),
    )
    answer = ask("/api/console/slos/orders")
    assert answer["now"] == AT
    assert answer["objective"]["id"] == "orders"
    assert [(each["name"], each["above"]) for each in answer["stages"]] == [
        ("normal", 0.75),
        ("caution", 0.5),
        ("slowdown", 0.25),
        ("freeze", 0.0),
        ("exhausted", None),
    ]
    burn_down = answer["burn_down"]
    assert (burn_down["start"], burn_down["left_at_start"], len(burn_down["parts"])) == (AT - 120 * SECOND, 1.0, 120)
    assert burn_down["parts"][-1] == {"end": AT, "remaining": pytest.approx(0.8), "good": 480.0, "bad": 20.0}
    contributors = [
        {
            "contributor": name,
            "bad": float(bad),
            "share": bad / 20,
            "spent_ratio": bad / 100,
            "traces": [{"trace_id": TRACE, "time": AT}],
        }
        for name, bad in (("/orders", 15), ("/carts", 5))
    ]
    assert answer["ledger"] == [{"dimension": "route", "bad": 20.0, "contributors": contributors, "left_out": 0}]
    assert answer["told"] == {"sli": None, "remaining": 0.4, "time": AT}


def test_an_objective_of_several_services_is_asked_with_one(file: ConsoleFile, ask: Ask) -> None:
    for service, bad in (("shop", 1), ("bank", 2)):
        file.send(metrics(service, happened((0, 100, bad))))
    assert "bank, shop" in ask("/api/console/slos/orders", status=400)["errors"][0]["msg"]
    assert ask("/api/console/slos/orders", service="bank")["objective"]["bad"] == 2
    assert "no objective orders" in ask("/api/console/slos/orders", service="store", status=404)["errors"][0]["msg"]
    assert "no objective nothing" in ask("/api/console/slos/nothing", status=404)["errors"][0]["msg"]
