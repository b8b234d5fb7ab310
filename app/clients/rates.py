"""Exchange rates: from the cache, else from the rates API."""

import logging
from decimal import Decimal, InvalidOperation
from typing import Any

from app.clients.cache import Cache
from app.clients.upstream import Upstream, UpstreamError
from app.domain.money import is_rate
from app.errors import ApiError
from mita_otel.metrics import business

logger = logging.getLogger(__name__)

CACHED_SECONDS = 600
"""Rates are published every hour; ten minutes late is good enough for a household budget."""


class Rates:
    """Tells what a unit of one currency is worth in another."""

    def __init__(self, url: str | None, upstream: Upstream, cache: Cache) -> None:
        """Take the API's base URL, or None if there is none."""
        self._url = url
        self._upstream = upstream
        self._cache = cache

    async def rate(self, source: str, target: str) -> Decimal:
        """Return how much of `target` one unit of `source` is.

        Raises:
            ApiError: 503 if no rate is to be had now, 422 if there is none for these currencies.
        """
        if source == target:
            return Decimal(1)
        key = f"rate:{source}:{target}"
        cached = await self._cache.get(key)
        if cached is not None and (known := _read(cached)) is not None:
            business.currency_converted("cache")
            return known
        rate = await self._ask(source, target)
        business.currency_converted("api")
        await self._cache.set(key, str(rate), CACHED_SECONDS)
        return rate

    async def _ask(self, source: str, target: str) -> Decimal:
        if self._url is None:
            raise _unavailable("no rates API is configured (RATES_API_URL)")
        try:
            rates = await self._upstream.call("GET", f"{self._url}/rates", read=_rates, params={"base": source})
        except UpstreamError as error:
            raise _failed(str(error)) from error
        if target not in rates:
            raise ApiError(422, "CURRENCY_NOT_CONVERTIBLE", f"there is no rate from {source} to {target}")
        rate = _read(str(rates[target]))
        if rate is None:
            raise _failed("not a rate")
        return rate


def _rates(answer: Any) -> dict[str, Any]:
    rates = answer.get("rates") if isinstance(answer, dict) else None
    if not isinstance(rates, dict):
        raise ValueError("no rates in the answer")  # noqa: TRY004 - the answer is wrong, not our types
    return rates


def _read(text: str) -> Decimal | None:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        return None
    return rate if is_rate(rate) else None


def _failed(cause: str) -> ApiError:
    logger.warning("the rates API failed", extra={"cause": cause})
    return _unavailable("exchange rates are not available now")


def _unavailable(message: str) -> ApiError:
    business.currency_converted("unavailable")
    return ApiError(503, "RATES_UNAVAILABLE", message)
