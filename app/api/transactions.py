"""Transactions: what was spent, when, on what."""

import logging
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_serializer
from sqlalchemy import Select, delete, select, update
from sqlalchemy.exc import IntegrityError

from app.api.dependencies import CallerNeeded, Services, ServicesNeeded
from app.api.text import Text
from app.domain.categories import Category
from app.domain.money import CURRENCIES, Amount, Currency, convert, round_to_currency, whole_coins
from app.errors import ApiError, invalid, not_found
from app.security import Caller
from app.storage import Transaction

router = APIRouter(prefix="/transactions", tags=["transactions"])
logger = logging.getLogger(__name__)

EARLIEST = date(1970, 1, 1)


def _plausible(day: date) -> date:
    if not EARLIEST <= day <= datetime.now(UTC).date() + timedelta(days=366):
        raise ValueError("must lie between 1970 and a year from now")
    return day


def _known(currency: str) -> str:
    if currency not in CURRENCIES:
        raise ValueError("is not a currency we know")
    return currency


Day = Annotated[date, AfterValidator(_plausible)]
KnownCurrency = Annotated[Currency, AfterValidator(_known)]


class NewTransaction(BaseModel):
    """What was spent; without a currency it is the user's own, without a day today."""

    amount: Amount
    currency: KnownCurrency | None = None
    category: Category
    description: Text = Field(default="", max_length=500)
    occurred_on: Day | None = None


class TransactionChange(BaseModel):
    """What may be changed afterwards; what is left out stays."""

    amount: Amount | None = None
    category: Category | None = None
    description: Text | None = Field(default=None, max_length=500)
    occurred_on: Day | None = None


class TransactionView(BaseModel):
    """A transaction as its owner sees it; amounts are decimal strings."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    amount: Decimal
    currency: str
    home_amount: Decimal
    home_currency: str
    category: Category
    description: str
    occurred_on: date

    @field_serializer("amount")
    def _in_coins(self, amount: Decimal) -> str:
        return str(round_to_currency(amount, self.currency))

    @field_serializer("home_amount")
    def _in_home_coins(self, amount: Decimal) -> str:
        return str(round_to_currency(amount, self.home_currency))


class Page(BaseModel):
    """A page of transactions, newest day first."""

    items: list[TransactionView]
    next_cursor: str | None


@router.get("/categories")
async def list_categories() -> list[Category]:
    """Return every category there is."""
    return list(Category)


@router.post("", status_code=201)
async def create(new: NewTransaction, caller: CallerNeeded, held: ServicesNeeded) -> TransactionView:
    """Store what was spent, converted to the user's own currency."""
    currency = new.currency or caller.currency
    amount, home_amount = await _both_amounts(held, new.amount, currency, caller.currency)
    transaction = Transaction(
        user_id=caller.user_id,
        amount=amount,
        currency=currency,
        home_amount=home_amount,
        home_currency=caller.currency,
        category=new.category.value,
        description=new.description,
        occurred_on=new.occurred_on or datetime.now(UTC).date(),
    )
    async with held.database.session() as session:
        session.add(transaction)
        try:
            await session.commit()
        except IntegrityError as error:
            raise ApiError(401, "AUTHENTICATION_REQUIRED", "this user no longer exists") from error
    await _changed(held, caller, transaction.occurred_on)
    logger.info("transaction created", extra={"category": new.category.value, "converted": currency != caller.currency})
    return TransactionView.model_validate(transaction)


@router.get("")
async def list_transactions(
    caller: CallerNeeded,
    held: ServicesNeeded,
    *,
    category: Category | None = None,
    since: date | None = None,
    until: date | None = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Page:
    """Return a page of the caller's transactions."""
    wanted = select(Transaction).where(Transaction.user_id == caller.user_id)
    if category is not None:
        wanted = wanted.where(Transaction.category == category.value)
    if since is not None:
        wanted = wanted.where(Transaction.occurred_on >= since)
    if until is not None:
        wanted = wanted.where(Transaction.occurred_on <= until)
    if cursor is not None:
        day, last = _read_cursor(cursor)
        wanted = wanted.where(
            (Transaction.occurred_on < day) | ((Transaction.occurred_on == day) & (Transaction.id < last))
        )
    wanted = wanted.order_by(Transaction.occurred_on.desc(), Transaction.id.desc()).limit(limit + 1)
    async with held.database.session() as session:
        found = (await session.scalars(wanted)).all()
    more = f"{found[limit - 1].occurred_on}.{found[limit - 1].id}" if len(found) > limit else None
    return Page(items=[TransactionView.model_validate(item) for item in found[:limit]], next_cursor=more)


def _read_cursor(cursor: str) -> tuple[date, UUID]:
    day, _, last = cursor.partition(".")
    try:
        return date.fromisoformat(day), UUID(last)
    except ValueError as error:
        raise ApiError(422, "CURSOR_INVALID", "the cursor is not one that this service gave") from error


@router.get("/{transaction_id}")
async def read(transaction_id: UUID, caller: CallerNeeded, held: ServicesNeeded) -> TransactionView:
    """Return one of the caller's transactions."""
    async with held.database.session() as session:
        transaction = await session.scalar(_own(transaction_id, caller))
    if transaction is None:
        raise not_found("transaction")
    return TransactionView.model_validate(transaction)


@router.patch("/{transaction_id}")
async def change_transaction(
    transaction_id: UUID, change: TransactionChange, caller: CallerNeeded, held: ServicesNeeded
) -> TransactionView:
    """Change one of the caller's transactions; a new amount is converted at today's rate."""
    async with held.database.session() as session:
        before = await session.scalar(_own(transaction_id, caller))
    if before is None:
        raise not_found("transaction")
    values = change.model_dump(exclude_none=True)
    if not values:
        return TransactionView.model_validate(before)
    if change.amount is not None:
        # No connection is held while the rates API is asked.
        both = await _both_amounts(held, change.amount, before.currency, before.home_currency)
        values["amount"], values["home_amount"] = both
    async with held.database.session() as session:
        own = update(Transaction).where(Transaction.id == transaction_id, Transaction.user_id == caller.user_id)
        transaction = await session.scalar(own.values(values).returning(Transaction))
        await session.commit()
    if transaction is None:
        raise not_found("transaction")
    await _changed(held, caller, before.occurred_on, transaction.occurred_on)
    logger.info("transaction changed")
    return TransactionView.model_validate(transaction)


@router.delete("/{transaction_id}", status_code=204)
async def remove(transaction_id: UUID, caller: CallerNeeded, held: ServicesNeeded) -> None:
    """Delete one of the caller's transactions."""
    async with held.database.session() as session:
        own = delete(Transaction).where(Transaction.id == transaction_id, Transaction.user_id == caller.user_id)
        day = await session.scalar(own.returning(Transaction.occurred_on))
        await session.commit()
    if day is None:
        raise not_found("transaction")
    await _changed(held, caller, day)
    logger.info("transaction deleted")


async def _both_amounts(held: Services, amount: Decimal, currency: str, home: str) -> tuple[Decimal, Decimal]:
    """Return an amount in its own currency and in the user's."""
    try:
        paid = whole_coins(amount, currency)
        return paid, convert(paid, await held.rates.rate(currency, home), home)
    except ValueError as error:
        raise invalid(error) from error


def _own(transaction_id: UUID, caller: Caller) -> Select[Transaction]:
    return select(Transaction).where(Transaction.id == transaction_id, Transaction.user_id == caller.user_id)


async def _changed(held: Services, caller: Caller, *days: date) -> None:
    """Forget what was computed from the months of these days."""
    months = {day.replace(day=1) for day in days}
    await held.cache.forget(
        *(f"{kind}:{caller.user_id}:{month}" for month in sorted(months) for kind in ("dashboard", "spending"))
    )
