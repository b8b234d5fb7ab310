"""Health: what is looked at, what it means, and whether requests should come.

from mita_otel.health import Health
from mita_otel.health.checks import application, database, redis, system

health = Health([database(engine), redis(client), system(), application()])
async with health.running():
    ...
"""

from mita_otel.health.levels import Level
from mita_otel.health.model import Check, Reading, Result, above, below
from mita_otel.health.readiness import Readiness
from mita_otel.health.render import About
from mita_otel.health.runner import Health

__all__ = ["About", "Check", "Health", "Level", "Readiness", "Reading", "Result", "above", "below"]
