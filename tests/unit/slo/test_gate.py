from typing import Any

import pytest

from mita_otel.slo.gate import Verdict, verdict


def _told(left: float | None, burn: float | None = 0, *, tier: int = 1) -> dict[str, Any]:
    state = "no_data" if left is None else "ok"
    budget = {"remaining_ratio": left}
    return {"id": "orders", "tier": tier, "state": state, "error_budget": budget, "burn_rate": {"1h": burn}}


def _judged(*told: dict[str, Any], require_data: bool = False) -> Verdict:
    return verdict({"slos": told}, min_budget=0.25, max_burn=6, tiers={1, 2}, require_data=require_data)


@pytest.mark.parametrize(("left", "burn"), [(0.25, 6), (1, None), (0.9, 0)])
def test_a_deployment_may_go_on_while_enough_is_left(left: float, burn: float | None) -> None:
    assert _judged(_told(left, burn)).is_open


def test_a_spent_budget_keeps_it() -> None:
    assert _judged(_told(-0.5)).reasons == ("orders: -50.0% of its error budget is left, 25.0% is needed",)


def test_a_budget_that_burns_keeps_it_though_enough_is_left() -> None:
    assert _judged(_told(0.9, 14.4)).reasons == (
        "orders: its budget burns 14.4 times as fast as allowed, 6 is the most",
    )


def test_what_matters_least_keeps_nothing() -> None:
    assert _judged(_told(-5, 100, tier=3)).is_open


def test_what_is_not_known_is_told_and_keeps_it_only_if_asked_to() -> None:
    assert _judged(_told(None, None)) == Verdict((), ("orders",))
    assert _judged(_told(None, None), require_data=True).reasons == ("orders: nothing is known of it (no_data)",)
