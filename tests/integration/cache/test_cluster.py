"""The cache on a Redis cluster, where keys of one command must lie in one slot."""

from typing import Any

import redis.asyncio

from mita_otel.cache import RedisCache
from tests.integration.libraries.test_redis_cluster import cluster

__all__ = ["cluster"]


async def test_a_cluster_keeps_finds_and_forgets(cluster: int, name: str) -> None:
    client: Any = redis.asyncio.RedisCluster(host="127.0.0.1", port=cluster)
    async with client:
        cache = RedisCache(client, name, timeout=10)
        assert await cache.warm_up({str(number): number for number in range(50)}) == 50
        assert [await cache.get(str(number)) for number in range(50)] == list(range(50))
        assert await cache.invalidate(*map(str, range(60))) == 50
        assert (await cache.stats()).hit_rate == 1
