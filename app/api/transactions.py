"""Transactions: what was spent, when, on what."""

import logging
from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, field_serializer
from sqlalchemy import Select, delete, select, update

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.api.inputs import Day, Text
from app.api.pages import LARGEST_PAGE, LONGEST_CURSOR, PAGE
from app.api.spending import (
    RECORDED,
    NewTransaction,
    attempt,
    both_amounts,
    changed,
    leave_work,
    priced,
    record_change,
    stored,
)
from app.domain.categories import Category
from app.domain.money import Amount, round_to_currency
from app.errors import ApiError, not_found
from app.security import Caller
from app.services import Services
from app.storage import Transaction
from mita_otel.logs import audit

router = APIRouter(prefix="/transactions", tags=["transactions"])
logger = logging.getLogger(__name__)


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
    with attempt():
        transaction = await priced(held, caller, new)
        async with held.database.session() as session:
            session.add(transaction)
            leave_work(held, session, caller, [transaction.occurred_on])
            await session.commit()
    stored(transaction, "expense")
    await changed(held, caller, [transaction.occurred_on])
    converted = transaction.currency != caller.currency
    logger.info("transaction created", extra={"category": new.category.value, "converted": converted})
    return TransactionView.model_validate(transaction)


@router.get("")
async def list_transactions(
    caller: CallerNeeded,
    held: ServicesNeeded,
    *,
    category: Category | None = None,
    since: date | None = None,
    until: date | None = None,
    cursor: Annotated[str | None, Query(max_length=LONGEST_CURSOR)] = None,
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE)] = PAGE,
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
    with attempt():
        return await _change(transaction_id, change, caller, held)


async def _change(transaction_id: UUID, change: TransactionChange, caller: Caller, held: Services) -> TransactionView:
    async with held.database.session() as session:
        before = await session.scalar(_own(transaction_id, caller))
    if before is None:
        raise not_found("transaction")
    values = change.model_dump(exclude_none=True)
    if not values:
        return TransactionView.model_validate(before)
    if change.amount is not None:
        # No connection is held while the rates API is asked.
        both = await both_amounts(held, change.amount, before.currency, before.home_currency)
        values["amount"], values["home_amount"] = both
    async with held.database.session() as session:
        own = update(Transaction).where(Transaction.id == transaction_id, Transaction.user_id == caller.user_id)
        transaction = await session.scalar(own.values(values).returning(Transaction))
        if transaction is None:
            raise not_found("transaction")
        days = [before.occurred_on, transaction.occurred_on]
        if values.keys() != {"description"}:
            leave_work(held, session, caller, days)
        await session.commit()
    await changed(held, caller, days)
    was, is_now = audit.fields(before, *RECORDED), audit.fields(transaction, *RECORDED)
    record_change("changed", was, is_now, transaction_id)
    logger.info("transaction changed")
    return TransactionView.model_validate(transaction)


@router.delete("/{transaction_id}", status_code=204)
async def remove(transaction_id: UUID, caller: CallerNeeded, held: ServicesNeeded) -> None:
    """Delete one of the caller's transactions."""
    with attempt():
        async with held.database.session() as session:
            own = delete(Transaction).where(Transaction.id == transaction_id, Transaction.user_id == caller.user_id)
            gone = await session.scalar(own.returning(Transaction))
            if gone is None:
                raise not_found("transaction")
            was, day = audit.fields(gone, *RECORDED), gone.occurred_on
            leave_work(held, session, caller, [day])
            await session.commit()
    await changed(held, caller, [day])
    record_change("deleted", was, None, transaction_id)
    logger.info("transaction deleted")


def _own(transaction_id: UUID, caller: Caller) -> Select[Transaction]:
    return select(Transaction).where(Transaction.id == transaction_id, Transaction.user_id == caller.user_id)
