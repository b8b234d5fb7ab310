"""A PostgreSQL and a Redis server as child processes, for tests and demonstrations on machines that run none."""

from mita_otel.stack.databases.account import postgres_reaches
from mita_otel.stack.databases.postgresql import postgres_server
from mita_otel.stack.databases.programs import find_postgres, find_redis
from mita_otel.stack.databases.redis import redis_server
from mita_otel.stack.databases.server import Server

__all__ = ["Server", "find_postgres", "find_redis", "postgres_reaches", "postgres_server", "redis_server"]
