"""The stores that sell what is bought inside the application."""

import logging
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.clients.upstream import Upstream, UpstreamError
from app.errors import ApiError

logger = logging.getLogger(__name__)

DEAREST = Decimal(10_000)
"""US dollars: both stores allow less for one purchase; what is above is a fault of the one who tells it."""


class Store(StrEnum):
    """Who sells."""

    APP_STORE = "app_store"
    GOOGLE_PLAY = "google_play"


class Sale(BaseModel):
    """What a store says about a purchase."""

    status: Literal["valid", "refunded", "unknown"]
    product: str = Field(default="", max_length=100)
    amount_usd: Annotated[Decimal, Field(ge=0, le=DEAREST, decimal_places=2)] = Decimal(0)


class Stores:
    """Asks the stores."""

    def __init__(self, url: str | None, upstream: Upstream) -> None:
        """Take the base URL of the API that speaks to the stores, or None if there is none."""
        self._url = url
        self._upstream = upstream

    async def sale(self, store: Store, transaction_id: str, receipt: str) -> Sale:
        """Return what was sold.

        Raises:
            ApiError: 503 if the API is not configured, fails, or answers nonsense.
        """
        if self._url is None:
            raise _unavailable("no store API is configured (STORE_API_URL)")
        body = {"store": store.value, "transaction_id": transaction_id, "receipt": receipt}
        try:
            url = f"{self._url}/v1/purchases/verify"
            return await self._upstream.call("POST", url, read=Sale.model_validate, json=body)
        except UpstreamError as error:
            logger.warning("the store API failed", extra={"store": store.value, "cause": str(error)})
            raise _unavailable("purchases cannot be verified now") from error


def _unavailable(message: str) -> ApiError:
    return ApiError(503, "STORE_UNAVAILABLE", message)
