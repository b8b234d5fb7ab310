"""The checks of the report, each a function that makes one. Source: observability report, section 2.1."""

from mita_otel.health.checks.application import application
from mita_otel.health.checks.breakers import breakers
from mita_otel.health.checks.database import database
from mita_otel.health.checks.redis import redis
from mita_otel.health.checks.system import system

__all__ = ["application", "breakers", "database", "redis", "system"]
