"""What every route does that changes what was spent."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.inputs import Day, Text
from app.domain.categories import Category
from app.domain.money import Amount, KnownCurrency, convert, whole_coins
from app.domain.months import months_of
from app.errors import ApiError, invalid
from app.security import Caller
from app.services import Services
from app.storage import Transaction
from app.storage.analytics import spending_changed
from mita_otel import slo
from mita_otel.logs import audit
from mita_otel.metrics import business
from mita_otel.traces import current_traceparent

SERVER_ERROR = 500
"""The first status that tells of a fault of ours."""


class NewTransaction(BaseModel):
    """What was spent; without a currency it is the user's own, without a day today."""

    amount: Amount
    currency: KnownCurrency | None = None
    category: Category
    description: Text = Field(default="", max_length=500)
    occurred_on: Day | None = None


async def priced(held: Services, caller: Caller, new: NewTransaction) -> Transaction:
    """Return a transaction to be stored, converted to the user's own currency; no connection is held meanwhile.

    Raises:
        ApiError: 422 for an amount that cannot be meant, 503 if there is no rate now.
    """
    currency = new.currency or caller.currency
    amount, home_amount = await both_amounts(held, new.amount, currency, caller.currency)
    return Transaction(
        user_id=caller.user_id,
        amount=amount,
        currency=currency,
        home_amount=home_amount,
        home_currency=caller.currency,
        category=new.category.value,
        description=new.description,
        occurred_on=new.occurred_on or held.now().date(),
    )


async def both_amounts(held: Services, amount: Decimal, currency: str, home: str) -> tuple[Decimal, Decimal]:
    """Return an amount in its own currency and in the user's.

    Raises:
        ApiError: as `priced`.
    """
    try:
        paid = whole_coins(amount, currency)
        return paid, convert(paid, await held.rates.rate(currency, home), home)
    except ValueError as error:
        raise invalid(error) from error


RECORDED = ("amount", "currency", "home_amount", "category", "description", "occurred_on")
"""What the audit log tells of a transaction."""


def record_change(action: str, before: dict[str, object] | None, after: dict[str, object] | None, which: UUID) -> None:
    """Record what became of a transaction."""
    audit.modification(f"transaction.{action}", before=before, after=after, resource=("transaction", which))


@contextmanager
def attempt() -> Iterator[None]:
    """Count an attempt to store, change or delete a transaction by what becomes of it."""
    try:
        yield
    except ApiError as error:
        is_ours = error.status >= SERVER_ERROR
        business.transaction_attempted("failed" if is_ours else "rejected")
        if is_ours:
            slo.event("transactions", good=False)
        raise
    except Exception:
        business.transaction_attempted("failed")
        slo.event("transactions", good=False)
        raise
    business.transaction_attempted("success")
    slo.event("transactions", good=True)


def stored(transaction: Transaction, way: Literal["expense", "bulk", "receipt"]) -> None:
    """Count a transaction that was stored, with its worth where that is known in US dollars."""
    record_change("created", None, audit.fields(transaction, *RECORDED), transaction.id)
    worth = {transaction.currency: transaction.amount, transaction.home_currency: transaction.home_amount}
    category: business.Category = transaction.category  # type: ignore[assignment] # checked when it came in
    business.transaction_created(type=way, category=category, usd=worth.get("USD"))


def leave_work(held: Services, session: AsyncSession, caller: Caller, days: Iterable[date]) -> None:
    """Leave behind, within the change's own transaction, that the months of these days are to be added up again."""
    job = spending_changed(caller.user_id, months_of(days), held.now(), traceparent=current_traceparent())
    session.add(job)


async def changed(held: Services, caller: Caller, days: Iterable[date]) -> None:
    """After the change: wake the worker, and forget what was computed from the months of these days."""
    held.bells.spending.ring()
    await held.cache.forget(*(f"dashboard:{caller.user_id}:{month}" for month in months_of(days)))
