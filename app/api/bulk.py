"""Many transactions at once: each is judged by itself, and all good ones are stored together."""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.api.spending import NewTransaction, changed, leave_work, priced, stored
from app.api.transactions import TransactionView
from app.errors import ApiError, not_valid
from app.security import Caller
from app.services import Services
from app.storage import Transaction
from mita_otel.metrics import business

router = APIRouter(prefix="/transactions/bulk", tags=["transactions"])
logger = logging.getLogger(__name__)

MOST_ITEMS = 100
"""Transactions: a month of a household; one INSERT of milliseconds, and few enough to show each one's problem."""

UNAVAILABLE = 503

_new = TypeAdapter(NewTransaction)


class Bulk(BaseModel):
    """Up to a hundred transactions, each like the body for a single one."""

    items: Annotated[
        list[Any],
        Field(
            min_length=1,
            max_length=MOST_ITEMS,
            json_schema_extra={"items": {"$ref": "#/components/schemas/NewTransaction"}},
        ),
    ]


class ItemError(BaseModel):
    """Why a transaction was not stored."""

    code: str
    message: str
    details: list[dict[str, str]] = Field(default_factory=list)


class ItemResult(BaseModel):
    """What became of one transaction; the status is the one that it would have had alone."""

    index: int
    status: int
    transaction: TransactionView | None = None
    error: ItemError | None = None


class BulkResult(BaseModel):
    """What became of each, in the order they came in."""

    created: int
    failed: int
    results: list[ItemResult]


Outcome = Transaction | ApiError


@router.post("")
async def create_many(bulk: Bulk, caller: CallerNeeded, held: ServicesNeeded) -> BulkResult:
    """Store what is good of many transactions, and say of each what became of it."""
    outcomes = await _judged(held, caller, bulk.items)
    good = [outcome for outcome in outcomes if isinstance(outcome, Transaction)]
    if good:
        days = [transaction.occurred_on for transaction in good]
        async with held.database.session() as session:
            session.add_all(good)
            leave_work(held, session, caller, days)
            await session.commit()
        await changed(held, caller, days)
    for transaction in good:
        stored(transaction, "bulk")
    business.bulk_entries(accepted=len(good), rejected=len(outcomes) - len(good))
    categories = Counter(transaction.category for transaction in good)
    logger.info(
        "transactions created",
        extra={"stored": len(good), "failed": len(outcomes) - len(good), "categories": dict(categories)},
    )
    results = [_result(index, outcome) for index, outcome in enumerate(outcomes)]
    return BulkResult(created=len(good), failed=len(outcomes) - len(good), results=results)


async def _judged(held: Services, caller: Caller, items: Sequence[object]) -> list[Outcome]:
    """Return for each the transaction to be stored, or the error that it would have been answered with alone.

    Once the rates API has failed it is not asked again: a hundred times its deadline is more than anybody waits.
    """
    outcomes: list[Outcome] = []
    outage: ApiError | None = None
    for item in items:
        try:
            new = _new.validate_python(item)
            if outage is not None and new.currency not in {None, caller.currency}:
                outcomes.append(outage)
                continue
            outcomes.append(await priced(held, caller, new))
        except ValidationError as error:
            outcomes.append(not_valid(error))
        except ApiError as error:
            outage = error if error.status == UNAVAILABLE else outage
            outcomes.append(error)
    return outcomes


def _result(index: int, outcome: Outcome) -> ItemResult:
    if isinstance(outcome, Transaction):
        return ItemResult(index=index, status=201, transaction=TransactionView.model_validate(outcome))
    told = {"code": outcome.code, "message": outcome.message, "details": outcome.details or []}
    error = ItemError.model_validate(told)
    return ItemResult(index=index, status=outcome.status, error=error)
