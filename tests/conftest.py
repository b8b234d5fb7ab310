"""Fixtures that every test may ask for."""

from tests.fixtures.servers import (
    free_port,
    otlp_receiver,
    postgres_own,
    postgres_url,
    redis_own,
    redis_url,
    shared_postgres,
    shared_redis,
    start_service,
)

__all__ = [
    "free_port",
    "otlp_receiver",
    "postgres_own",
    "postgres_url",
    "redis_own",
    "redis_url",
    "shared_postgres",
    "shared_redis",
    "start_service",
]
