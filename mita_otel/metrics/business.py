"""What a finance service counts, one function an event: names and attributes cannot be misspelt.

    from mita_otel.metrics import business

    business.transaction_created(type="expense", category="food", usd=Decimal("12.50"))
    with business.budget_calculation():
        ...

Importing the module makes the instruments, so import it once telemetry runs: under `opentelemetry-instrument` that is
anywhere in the application. Without telemetry every call does nothing. No call raises: a value out of its set counts as
`other`, an amount that is no amount is left out, and either is logged once.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

from mita_otel.metrics.catalogue import business as catalogue
from mita_otel.metrics.recording import METER, Distribution, Total

Category: TypeAlias = Literal[
    "food", "housing", "transport", "health", "entertainment", "education", "shopping", "savings", "other"
]
Method: TypeAlias = Literal["password", "google"]
Reason: TypeAlias = Literal["credentials", "token_invalid", "token_expired", "token_reused", "provider"]
Window: TypeAlias = Literal["5m", "1h", "1d"]

_transactions_created: Final = Total(catalogue.TRANSACTIONS_CREATED)
_transactions: Final = Total(catalogue.TRANSACTIONS)
_transaction_amount: Final = Total(catalogue.TRANSACTION_AMOUNT)
_currency_conversions: Final = Total(catalogue.CURRENCY_CONVERSIONS)
_budget_calculations: Final = Total(catalogue.BUDGET_CALCULATIONS)
_budget_calculations_duration: Final = Distribution(catalogue.BUDGET_CALCULATIONS_DURATION)
_budgets_exceeded: Final = Total(catalogue.BUDGETS_EXCEEDED)
_ocr_processing: Final = Total(catalogue.OCR_PROCESSING)
_ocr_processing_duration: Final = Distribution(catalogue.OCR_PROCESSING_DURATION)
_ai_insights_generated: Final = Total(catalogue.AI_INSIGHTS_GENERATED)
_ai_insights_requests: Final = Total(catalogue.AI_INSIGHTS_REQUESTS)
_ai_insights_duration: Final = Distribution(catalogue.AI_INSIGHTS_DURATION)
_user_registrations: Final = Total(catalogue.USER_REGISTRATIONS)
_authentication: Final = Total(catalogue.AUTHENTICATION)
_authentication_failures: Final = Total(catalogue.AUTHENTICATION_FAILURES)
_token_refreshes: Final = Total(catalogue.TOKEN_REFRESHES)
_password_resets: Final = Total(catalogue.PASSWORD_RESETS)
_purchases: Final = Total(catalogue.PURCHASES)
_revenue: Final = Total(catalogue.REVENUE)
_goals: Final = Total(catalogue.GOALS)
_bulk_entries: Final = Total(catalogue.BULK_ENTRIES)
_calendar_views: Final = Total(catalogue.CALENDAR_VIEWS)
_notifications: Final = Total(catalogue.NOTIFICATIONS)
_notification_delivery_duration: Final = Distribution(catalogue.NOTIFICATION_DELIVERY_DURATION)
_analytics_refreshes: Final = Total(catalogue.ANALYTICS_REFRESHES)
_analytics_refresh_duration: Final = Distribution(catalogue.ANALYTICS_REFRESH_DURATION)


def transaction_created(
    *,
    type: Literal["expense", "bulk", "receipt"],  # noqa: A002 - the attribute's name
    category: Category,
    usd: Decimal | None = None,
) -> None:
    """Count a transaction that was stored, and its worth in US dollars where it is known."""
    _transactions_created.add(type=type, category=category)
    if usd is not None:
        _transaction_amount.add(usd, category=category)


def transaction_attempted(status: Literal["success", "failed", "rejected"]) -> None:
    """Count an attempt to store, change or delete a transaction; `rejected` is the user's mistake, `failed` ours."""
    _transactions.add(status=status)


def currency_converted(source: Literal["cache", "api", "unavailable"]) -> None:
    """Count a conversion, by where its rate came from."""
    _currency_conversions.add(source=source)


def budget_exceeded(category: Category) -> None:
    """Count a budget that a transaction took beyond its limit."""
    _budgets_exceeded.add(category=category)


def insight_generated(type: str) -> None:  # noqa: A002 - the attribute's name
    """Count an insight shown; the kinds come from another service, so one that is not known counts as `other`."""
    _ai_insights_generated.add(type=type)


def user_registered(method: Method) -> None:
    """Count a new user."""
    _user_registrations.add(method=method)


def authenticated(method: Literal["password", "google", "refresh"]) -> None:
    """Count a log-in."""
    _authentication.add(status="success", method=method)


def authentication_failed(
    method: Literal["password", "google", "refresh"],
    reason: Reason,
) -> None:
    """Count an attempt to log in that failed, and why."""
    _authentication.add(status="failed", method=method)
    _authentication_failures.add(reason=reason)


def token_refused(reason: Literal["token_invalid", "token_expired"]) -> None:
    """Count a request that came with a token that does not hold."""
    _authentication_failures.add(reason=reason)


def token_refreshed(status: Literal["success", "failed"]) -> None:
    """Count an exchange of a refresh token."""
    _token_refreshes.add(status=status)


def password_reset(status: Literal["requested", "success", "failed"]) -> None:
    """Count a step of a password reset."""
    _password_resets.add(status=status)


def purchased(status: Literal["success", "failed", "duplicate"], usd: Decimal | None = None) -> None:
    """Count an in-app purchase, and its revenue in US dollars if it succeeded."""
    _purchases.add(status=status)
    if usd is not None and status == "success":
        _revenue.add(usd)


def goal(event: Literal["created", "reached", "deleted"]) -> None:
    """Count what became of a saving goal."""
    _goals.add(event=event)


def bulk_entries(accepted: int, rejected: int) -> None:
    """Count the entries of a bulk request."""
    _bulk_entries.add(accepted, status="success")
    _bulk_entries.add(rejected, status="rejected")


def notification(status: Literal["created", "expired", "failed"]) -> None:
    """Count what became of a notification that was not delivered, or not yet."""
    _notifications.add(status=status)


def notification_delivered(seconds: float) -> None:
    """Count a notification that was delivered so many seconds after its cause."""
    _notifications.add(status="delivered")
    _notification_delivery_duration.record(seconds)


@dataclass(slots=True)
class Work:
    """A piece of work that is being timed; set `status` where the outcome is neither success nor an exception."""

    status: str = "success"


def budget_calculation() -> AbstractContextManager[Work]:
    """Time a budget calculation while the block runs; an exception makes it `failed`."""
    return _timed(_budget_calculations, lambda seconds, _: _budget_calculations_duration.record(seconds))


def ocr_processing() -> AbstractContextManager[Work]:
    """Time the reading of a receipt; set the status to `rejected` for a file that is none."""
    return _timed(_ocr_processing, lambda seconds, status: _ocr_processing_duration.record(seconds, status=status))


def insights_request() -> AbstractContextManager[Work]:
    """Time a question to the insights service."""
    return _timed(_ai_insights_requests, lambda seconds, status: _ai_insights_duration.record(seconds, status=status))


def calendar_view() -> AbstractContextManager[Work]:
    """Count a month shown as a calendar; an exception makes it `failed`."""
    return _timed(_calendar_views, lambda _seconds, _status: None)


def analytics_refresh() -> AbstractContextManager[Work]:
    """Time a refresh of the analytics."""
    return _timed(_analytics_refreshes, lambda seconds, _: _analytics_refresh_duration.record(seconds))


def observe_active(users: Callable[[Window], int | None], sessions: Callable[[], int | None]) -> None:
    """Report active users and sessions at each collection, as the callables tell; None reports nothing.

    The numbers must be those of the whole service, told by one process of it: gauges of several processes add up to
    nothing that is true.
    """
    meter = get_meter(METER)

    def seen(_: CallbackOptions) -> Iterator[Observation]:
        for window in ("5m", "1h", "1d"):
            if (number := users(window)) is not None:
                yield Observation(number, {"window": window})

    catalogue.ACTIVE_USERS.observe(meter, seen)
    catalogue.ACTIVE_SESSIONS.observe(meter, _single(sessions))


def observe_last_data_update(seconds_since_epoch: Callable[[], float | None]) -> None:
    """Report at each collection when the analytics were last refreshed; None reports nothing."""
    catalogue.LAST_DATA_UPDATE.observe(get_meter(METER), _single(seconds_since_epoch))


def _single(read: Callable[[], float | None]) -> Callable[[CallbackOptions], Iterator[Observation]]:
    def callback(_: CallbackOptions) -> Iterator[Observation]:
        if (value := read()) is not None:
            yield Observation(value)

    return callback


@contextmanager
def _timed(total: Total, record: Callable[[float, str], None]) -> Iterator[Work]:
    work = Work()
    began = time.perf_counter()
    try:
        yield work
    except BaseException:
        work.status = "failed" if work.status == "success" else work.status
        raise
    finally:
        record(time.perf_counter() - began, work.status)
        total.add(status=work.status)
