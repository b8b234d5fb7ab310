"""Whether Redis keeps what it is given, how fast, and how full it is."""

import secrets
from collections.abc import Sequence
from typing import Any, Final

from mita_otel.health.levels import Level
from mita_otel.health.model import Check, Reading, above

SLOW: Final = 0.5
"""Seconds. Source: observability report, section 2.1."""

MEMORY_SHARE: Final = 0.9
"""Share of `maxmemory` above which Redis evicts or refuses soon."""

KEEP: Final = 10
"""Seconds that the probe's key lives, whatever happens to the probe."""


class NotKeptError(Exception):
    """Redis answered, with something else than what it was given."""


def redis(
    client: Any, *, name: str = "redis", slow: float = SLOW, timeout: float = 2.0, is_vital: bool = False
) -> Check:
    """Return the check of a Redis server, by a client of `redis.asyncio`.

    Args:
        client: the application's.
        name: of the component.
        slow: seconds above which it is degraded.
        timeout: seconds after which it is unhealthy.
        is_vital: whether the service is of no use without it; a cache is not.
    """
    key = f"mita:health:{secrets.token_hex(4)}"

    async def look() -> Sequence[Reading]:
        token = secrets.token_hex(8)
        await client.set(key, token, ex=KEEP)
        kept = await client.get(key)
        if kept not in {token, token.encode()}:
            raise NotKeptError
        info = {**await client.info("memory"), **await client.info("clients"), **await client.info("server")}
        return _readings(info)

    return Check(name, look, "datastore", slow, timeout, is_vital=is_vital, is_shared=True)


def _readings(info: dict[str, Any]) -> Sequence[Reading]:
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    memory = (
        above("memory", used, MEMORY_SHARE * most, "bytes", Level.DEGRADED)
        if most
        else Reading("memory", used, "bytes")
    )
    return (
        Reading("version", str(info.get("redis_version", ""))),
        memory,
        Reading("connections", int(info.get("connected_clients", 0))),
    )
