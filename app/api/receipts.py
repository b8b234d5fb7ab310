"""Receipts: a picture goes in, a draft of a transaction comes out, and the user says whether it is right."""

import asyncio
import hashlib
import logging
import time
from datetime import date
from decimal import Decimal
from uuid import UUID

from anyio import CapacityLimiter, WouldBlock, to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import Select, select, update
from starlette.datastructures import UploadFile

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.api.inputs import Day, Text, is_plausible
from app.api.pages import PAGE, Cursor, Limit, Order, next_cursor
from app.api.spending import NewTransaction, attempt, changed, leave_work, priced, stored
from app.api.transactions import TransactionView
from app.domain.categories import Category
from app.domain.money import Amount, KnownCurrency
from app.domain.receipts import Draft, FileKind, UnreadableError, as_printed, kind_of, recognise
from app.errors import ApiError, not_found, not_valid
from app.limits import LARGEST_FILE
from app.security import Caller
from app.services import Services
from app.storage import Receipt, Transaction
from mita_otel import slo
from mita_otel.metrics import business

router = APIRouter(prefix="/receipts", tags=["receipts"])
logger = logging.getLogger(__name__)

_uploads = CapacityLimiter(16)
"""Uploads at once: 80 MiB in memory at most."""

_recognitions = CapacityLimiter(2)
"""Receipts read at once: more would not be read sooner, and requests need a processor too."""

UPLOAD_SECONDS = 30.0
"""For the whole file: a slow line takes 10 s, whoever takes longer holds a place on purpose."""

_UPLOAD = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "string",
                            "format": "binary",
                            "description": f"JPEG, PNG or PDF of at most {LARGEST_FILE} bytes",
                        }
                    },
                }
            }
        },
    }
}


class DraftView(BaseModel):
    """What was read; what is null was not found on the receipt, the amount is a decimal string."""

    amount: Decimal
    currency: str | None
    category: Category
    description: str
    occurred_on: date | None


class ReceiptView(BaseModel):
    """A receipt as its owner sees it; `transaction_id` is null until the draft is confirmed."""

    id: UUID
    kind: FileKind
    size: int
    draft: DraftView
    transaction_id: UUID | None
    confirmed: bool

    @classmethod
    def of(cls, receipt: Receipt) -> "ReceiptView":
        """Return the view of a stored receipt."""
        draft = DraftView(
            amount=as_printed(receipt.amount, receipt.currency),
            currency=receipt.currency,
            category=Category(receipt.category),
            description=receipt.description,
            occurred_on=receipt.occurred_on,
        )
        return cls(
            id=receipt.id,
            kind=FileKind(receipt.kind),
            size=receipt.size,
            draft=draft,
            transaction_id=receipt.transaction_id,
            confirmed=receipt.confirmed_at is not None,
        )


class ReceiptPage(BaseModel):
    """A page of receipts, newest first."""

    items: list[ReceiptView]
    next_cursor: str | None


class Correction(BaseModel):
    """What was read wrongly; what is left out is as it was read."""

    amount: Amount | None = None
    currency: KnownCurrency | None = None
    category: Category | None = None
    description: Text | None = Field(default=None, max_length=500)
    occurred_on: Day | None = None


@router.post("", status_code=201, openapi_extra=_UPLOAD)
async def upload(request: Request, caller: CallerNeeded, held: ServicesNeeded) -> ReceiptView:
    """Read a receipt. The file itself is not kept."""
    # The caller is known before a byte of the file is read: that is why it is no argument of this function.
    try:
        _uploads.acquire_nowait()
    except WouldBlock as error:
        raise ApiError(503, "RECEIPTS_BUSY", "too many receipts are being read; try again in a moment") from error
    try:
        content = await _content(request)
        kind, draft = await _recognised(content)
    finally:
        _uploads.release()
    receipt = Receipt(
        user_id=caller.user_id,
        kind=kind.value,
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        amount=draft.amount,
        currency=draft.currency,
        category=draft.category.value,
        description=draft.description,
        # A day out of all proportion was misread.
        occurred_on=draft.occurred_on if draft.occurred_on and is_plausible(draft.occurred_on) else None,
        created_at=held.now(),
    )
    async with held.database.session() as session:
        session.add(receipt)
        await session.commit()
    return ReceiptView.of(receipt)


async def _content(request: Request) -> bytes:
    """Return the bytes of the one file of a form."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise ApiError(415, "MULTIPART_NEEDED", "send the file as multipart/form-data, in a field named file")
    try:
        async with asyncio.timeout(UPLOAD_SECONDS), request.form(max_files=1, max_fields=1) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise ApiError(422, "FILE_MISSING", "the form has no file in a field named file")
            content = await file.read(LARGEST_FILE + 1)
    except TimeoutError as error:
        raise ApiError(408, "UPLOAD_TOO_SLOW", f"the file did not arrive within {UPLOAD_SECONDS:.0f} s") from error
    if len(content) > LARGEST_FILE:
        raise ApiError(413, "FILE_TOO_LARGE", f"a receipt may have {LARGEST_FILE} bytes")
    return content


async def _recognised(content: bytes) -> tuple[FileKind, Draft]:
    """Return what kind of file it is, and what it says; told apart by its content, whatever its name claims."""
    began = time.perf_counter()
    with business.ocr_processing() as work:
        kind = kind_of(content)
        if kind is None:
            work.status = "rejected"
            raise ApiError(415, "FILE_TYPE_UNKNOWN", "a receipt is a JPEG, a PNG or a PDF")
        try:
            draft = await to_thread.run_sync(recognise, content, kind, limiter=_recognitions)
        except UnreadableError as error:
            _read("failed", kind, began)
            raise ApiError(422, "RECEIPT_UNREADABLE", str(error)) from error
    _read("success", kind, began)
    return kind, draft


def _read(outcome: str, kind: FileKind, began: float) -> None:
    seconds = round(time.perf_counter() - began, 3)
    logger.info("receipt read", extra={"outcome": outcome, "file.kind": kind.value, "duration_seconds": seconds})


@router.get("")
async def list_receipts(
    caller: CallerNeeded, held: ServicesNeeded, cursor: Cursor = None, limit: Limit = PAGE
) -> ReceiptPage:
    """Return a page of the caller's receipts."""
    wanted = select(Receipt).where(Receipt.user_id == caller.user_id)
    async with held.database.session() as session:
        order = Order(Receipt.created_at, Receipt.id)
        found = (await session.scalars(order.page(wanted, cursor, limit))).all()
    return ReceiptPage(items=[ReceiptView.of(item) for item in found[:limit]], next_cursor=next_cursor(found, limit))


@router.get("/{receipt_id}")
async def read_receipt(receipt_id: UUID, caller: CallerNeeded, held: ServicesNeeded) -> ReceiptView:
    """Return one of the caller's receipts."""
    async with held.database.session() as session:
        receipt = await session.scalar(_own(receipt_id, caller))
    if receipt is None:
        raise not_found("receipt")
    return ReceiptView.of(receipt)


@router.post("/{receipt_id}/confirm", status_code=201)
async def confirm(
    receipt_id: UUID, correction: Correction, caller: CallerNeeded, held: ServicesNeeded
) -> TransactionView:
    """Make a transaction of a draft, once."""
    async with held.database.session() as session:
        receipt = await session.scalar(_own(receipt_id, caller))
    if receipt is None:
        raise not_found("receipt")
    with attempt():
        transaction = await _confirmed(held, caller, receipt, _corrected(receipt, correction))
    stored(transaction, "receipt")
    await changed(held, caller, [transaction.occurred_on])
    corrected = sorted(correction.model_dump(exclude_none=True))
    slo.event("ocr", good=not corrected)
    logger.info("receipt confirmed", extra={"category": transaction.category, "corrected": corrected})
    return TransactionView.model_validate(transaction)


async def _confirmed(held: Services, caller: Caller, receipt: Receipt, new: NewTransaction) -> Transaction:
    """Store the transaction of a receipt, and mark the receipt."""
    transaction = await priced(held, caller, new)
    async with held.database.session() as session:
        session.add(transaction)
        await session.flush()
        unconfirmed = (Receipt.id == receipt.id) & (Receipt.user_id == caller.user_id) & Receipt.confirmed_at.is_(None)
        values = {"confirmed_at": held.now(), "transaction_id": transaction.id}
        # Of two requests at once, one finds it unconfirmed; the other's transaction is rolled back.
        if await session.scalar(update(Receipt).where(unconfirmed).values(values).returning(Receipt.id)) is None:
            raise ApiError(409, "RECEIPT_CONFIRMED", "a transaction was made of this receipt already")
        leave_work(held, session, caller, [transaction.occurred_on])
        await session.commit()
    return transaction


def _corrected(receipt: Receipt, correction: Correction) -> NewTransaction:
    """Return the transaction that is meant."""
    read = {
        "amount": receipt.amount,
        "currency": receipt.currency,
        "category": receipt.category,
        "description": receipt.description,
        "occurred_on": receipt.occurred_on,
    }
    try:
        return NewTransaction.model_validate(read | correction.model_dump(exclude_none=True))
    except ValidationError as error:
        raise not_valid(error) from error


def _own(receipt_id: UUID, caller: Caller) -> Select[Receipt]:
    return select(Receipt).where(Receipt.id == receipt_id, Receipt.user_id == caller.user_id)
