"""A store that has sold whatever a receipt of the right form says."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

PRICES = {"premium.month": "4.99", "premium.year": "39.99", "tips.small": "0.99"}
"""US dollars by product."""


class Claim(BaseModel):
    """What somebody says they bought."""

    store: str = Field(max_length=16)
    transaction_id: str = Field(max_length=100)
    receipt: str = Field(max_length=10_000)


def routes() -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.post("/v1/purchases/verify")
    async def verify(claim: Claim) -> dict[str, str]:
        """Believe `valid:<product>:<transaction id>`, and know of a refund by `refunded:...`."""
        status, _, rest = claim.receipt.partition(":")
        product, _, transaction_id = rest.partition(":")
        if transaction_id != claim.transaction_id or product not in PRICES or status not in {"valid", "refunded"}:
            return {"status": "unknown"}
        return {"status": status, "product": product, "amount_usd": PRICES[product]}

    return router
