"""Purchases inside the application: verified at the store that sold, each counted once."""

import logging
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, field_serializer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.api.pages import PAGE, Cursor, Limit, Order, next_cursor
from app.clients.store import Sale, Store
from app.domain.money import round_to_currency
from app.domain.notifications import purchase_confirmed
from app.errors import ApiError
from app.security import Caller
from app.services import Services
from app.storage import Purchase, User
from app.storage.notifications import notify
from app.storage.upsert import insert
from mita_otel.logs import audit
from mita_otel.metrics import business
from mita_otel.traces import current_traceparent

router = APIRouter(prefix="/purchases", tags=["purchases"])
logger = logging.getLogger(__name__)

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
ReceiptText = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,10000}$")]
"""Base64 or a token: both stores stay below ten thousand characters."""


class NewPurchase(BaseModel):
    """What the store gave the buyer."""

    store: Store
    transaction_id: Name
    product: Name
    receipt: ReceiptText


class PurchaseView(BaseModel):
    """A purchase; the amount is in US dollars, a decimal string."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    store: Store
    store_transaction_id: str
    product: str
    amount_usd: Decimal
    created_at: datetime

    @field_serializer("amount_usd")
    def _in_cents(self, amount: Decimal) -> str:
        return str(round_to_currency(amount, "USD"))


class PurchasePage(BaseModel):
    """A page of purchases, newest first."""

    items: list[PurchaseView]
    next_cursor: str | None


@router.post("", status_code=201, responses={200: {"model": PurchaseView, "description": "known already"}})
async def buy(new: NewPurchase, caller: CallerNeeded, held: ServicesNeeded, response: Response) -> PurchaseView:
    """Record a purchase that its store confirms; the same one again is answered with what is known, with status 200."""
    sale = await held.stores.sale(new.store, new.transaction_id, new.receipt)
    _check(new, sale)
    async with held.database.session() as session:
        purchase, is_new = await _recorded(held, session, caller, new, sale.amount_usd)
        await session.commit()
    if is_new:
        held.bells.notifications.ring()
        business.purchased("success", sale.amount_usd)
        made = audit.fields(purchase, "store", "store_transaction_id", "product", "amount_usd")
        audit.modification("purchase.recorded", before=None, after=made, resource=("purchase", purchase.id))
        logger.info(
            "purchase recorded",
            extra={"store": new.store.value, "product": purchase.product, "revenue.usd": str(sale.amount_usd)},
        )
    else:
        business.purchased("duplicate")
        response.status_code = 200
    return PurchaseView.model_validate(purchase)


def _check(new: NewPurchase, sale: Sale) -> None:
    if sale.status != "valid" or sale.product != new.product or sale.amount_usd == 0:
        reason = sale.status if sale.status != "valid" else "mismatch"
        business.purchased("failed")
        about = {"store": new.store.value, "reason": reason}
        audit.record(audit.EventType.SECURITY_VIOLATION, "purchase.refused", outcome=False, details=about)
        logger.warning("purchase refused", extra={"store": new.store.value, "reason": reason})
        raise ApiError(422, "PURCHASE_INVALID", "the store does not confirm this purchase")


async def _recorded(
    held: Services, session: AsyncSession, caller: Caller, new: NewPurchase, amount_usd: Decimal
) -> tuple[Purchase, bool]:
    """Return the purchase, and whether it is a new one; the caller commits."""
    row = insert(session, Purchase).values(
        id=uuid4(),
        user_id=caller.user_id,
        store=new.store.value,
        store_transaction_id=new.transaction_id,
        product=new.product,
        amount_usd=amount_usd,
        created_at=held.now(),
    )
    key = [Purchase.store, Purchase.store_transaction_id]
    made = await session.scalar(row.on_conflict_do_nothing(index_elements=key).returning(Purchase))
    if made is None:
        same = (Purchase.store == new.store.value) & (Purchase.store_transaction_id == new.transaction_id)
        known = await session.scalar(select(Purchase).where(same))
        if known is None or known.user_id != caller.user_id:
            raise ApiError(409, "PURCHASE_CLAIMED", "this purchase belongs to somebody else")
        return known, False
    user = await session.get_one(User, caller.user_id)
    message = purchase_confirmed(made.id, made.product)
    await notify(session, user.id, user.notify_by, message, held.now(), traceparent=current_traceparent())
    return made, True


@router.get("")
async def list_purchases(
    caller: CallerNeeded, held: ServicesNeeded, cursor: Cursor = None, limit: Limit = PAGE
) -> PurchasePage:
    """Return a page of the caller's purchases."""
    wanted = select(Purchase).where(Purchase.user_id == caller.user_id)
    async with held.database.session() as session:
        order = Order(Purchase.created_at, Purchase.id)
        found = (await session.scalars(order.page(wanted, cursor, limit))).all()
    items = [PurchaseView.model_validate(item) for item in found[:limit]]
    return PurchasePage(items=items, next_cursor=next_cursor(found, limit))
