"""The domain's functions count what their names say."""

import importlib
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider

from mita_otel.metrics import business as module
from mita_otel.metrics import recording
from mita_otel.metrics.catalogue import business as catalogue
from mita_otel.metrics.catalogue import instruments_of
from mita_otel.metrics.instrument import Gauge

Points = Callable[[], dict[str, dict[tuple[str, ...], Any]]]


@pytest.fixture
def business(provider: MeterProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module with instruments of this test's own provider."""
    with monkeypatch.context() as patched:
        patched.setattr(recording, "get_meter", provider.get_meter)
        yield importlib.reload(module)
    importlib.reload(module)


def test_a_transaction_is_counted_with_its_worth(business: Any, points: Points) -> None:
    business.transaction_created(type="expense", category="food", usd=Decimal("12.50"))
    business.transaction_created(type="expense", category="food")
    assert points()["mita.transactions.created"]["expense", "food"] == 2
    assert points()["mita.transaction.amount"]["food",] == 12.5


def test_a_failed_login_counts_as_an_attempt_and_as_a_failure_with_its_reason(business: Any, points: Points) -> None:
    business.authentication_failed("password", "credentials")
    business.authenticated("password")
    assert points()["mita.authentication"]["failed", "password"] == 1
    assert points()["mita.authentication"]["success", "password"] == 1
    assert points()["mita.authentication.failures"]["credentials",] == 1


def test_revenue_comes_from_purchases_that_succeeded(business: Any, points: Points) -> None:
    business.purchased("success", Decimal("4.99"))
    business.purchased("duplicate", Decimal("4.99"))
    assert points()["mita.revenue"] == {(): 4.99}


@pytest.mark.parametrize("name", ["budget_calculation", "ocr_processing", "insights_request", "analytics_refresh"])
def test_timed_work_is_counted_once_by_outcome_and_timed(business: Any, points: Points, name: str) -> None:
    with getattr(business, name)():
        pass
    with pytest.raises(LookupError), getattr(business, name)():
        raise LookupError
    counted, timed = {
        "budget_calculation": ("mita.budget_calculations", "mita.budget_calculations.duration"),
        "ocr_processing": ("mita.ocr_processing", "mita.ocr_processing.duration"),
        "insights_request": ("mita.ai_insights.requests", "mita.ai_insights.duration"),
        "analytics_refresh": ("mita.analytics.refreshes", "mita.analytics.refresh.duration"),
    }[name]
    assert (points()[counted]["success",], points()[counted]["failed",]) == (1, 1)
    assert sum(points()[timed].values()) == 2


def test_work_may_say_that_it_was_rejected(business: Any, points: Points) -> None:
    def refuse() -> None:
        with business.ocr_processing() as work:
            work.status = "rejected"
            raise LookupError

    with pytest.raises(LookupError):
        refuse()
    assert points()["mita.ocr_processing"] == {("success",): 0, ("failed",): 0, ("rejected",): 1, ("other",): 0}


def test_bulk_entries_are_counted_apart(business: Any, points: Points) -> None:
    business.bulk_entries(accepted=3, rejected=2)
    assert points()["mita.bulk_entries"] == {("success",): 3, ("rejected",): 2, ("other",): 0}


def test_an_insight_of_an_unknown_kind_counts_as_other(business: Any, points: Points) -> None:
    business.insight_generated("horoscope")
    assert points()["mita.ai_insights.generated"]["other",] == 1


def test_every_counter_is_there_from_the_beginning(business: Any, points: Points) -> None:
    counters = {i.name for i in instruments_of(catalogue) if i.kind == "counter" and i.attributes}
    assert counters <= set(points())


def test_gauges_tell_what_the_application_tells_and_nothing_where_it_does_not_know(
    business: Any, points: Points, provider: MeterProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(business, "get_meter", provider.get_meter)
    business.observe_active({"5m": 2, "1h": 7}.get, lambda: 3)
    business.observe_last_data_update(lambda: None)
    gauges = {name: seen for name, seen in points().items() if name in _gauges()}
    assert gauges == {"mita.active_users": {("5m",): 2, ("1h",): 7}, "mita.active_sessions": {(): 3}}


def _gauges() -> set[str]:
    return {instrument.name for instrument in instruments_of(catalogue) if isinstance(instrument, Gauge)}
