"""Insights into spending, from an external API."""

import logging
from collections.abc import Mapping
from decimal import Decimal

import httpx
from pydantic import BaseModel, Field, ValidationError

from app.clients.upstream import UpstreamError, call
from app.errors import ApiError

logger = logging.getLogger(__name__)


class Insight(BaseModel):
    """One remark about a month's spending."""

    type: str = Field(max_length=64)
    text: str = Field(max_length=2000)


class _Answer(BaseModel):
    insights: list[Insight] = Field(max_length=50)


class Insights:
    """Asks the insights API."""

    def __init__(self, url: str | None, client: httpx.AsyncClient) -> None:
        """Take the API's base URL, or None if there is none."""
        self._url = url
        self._client = client

    async def of(self, spent: Mapping[str, Decimal], currency: str) -> list[Insight]:
        """Return remarks about what was spent by category.

        Raises:
            ApiError: 503 if the API is not configured, fails, or answers nonsense.
        """
        if self._url is None:
            raise _unavailable("no insights API is configured (INSIGHTS_API_URL)")
        spending = {category: str(amount) for category, amount in spent.items()}
        try:
            about = {"currency": currency, "spending": spending}
            return _Answer.model_validate(
                await call(self._client, "POST", f"{self._url}/v1/insights", json=about)
            ).insights
        except (UpstreamError, ValidationError) as error:
            cause = str(error) if isinstance(error, UpstreamError) else "not insights"
            logger.warning("the insights API failed", extra={"cause": cause})
            raise _unavailable("insights are not available now") from error


def _unavailable(message: str) -> ApiError:
    return ApiError(503, "INSIGHTS_UNAVAILABLE", message)
