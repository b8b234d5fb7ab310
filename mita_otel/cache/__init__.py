"""A cache on Redis for what is dear to compute: counted, bounded, and never in a request's way.

from mita_otel.cache import RedisCache, cached

rates = RedisCache(client, "rates", ttl=3600)

@cached(rates, key=lambda currency: currency)
async def rate_of(currency: str) -> Decimal:
    ...
"""

from mita_otel.cache.decorator import Cached, cached
from mita_otel.cache.redis import RedisCache
from mita_otel.cache.statistics import CacheStats, get_cache_stats

__all__ = ["CacheStats", "Cached", "RedisCache", "cached", "get_cache_stats"]
