"""asyncpg used directly: calls, pools, transactions, and whether the database answers."""

from mita_otel.libraries.asyncpg.calls import instrument
from mita_otel.libraries.asyncpg.pools import endpoint

__all__ = ["endpoint", "instrument"]
