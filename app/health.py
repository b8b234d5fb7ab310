"""What MITA Finance looks at to know how it is."""

from collections.abc import Sequence

from app.services import Services
from app.settings import Settings
from mita_otel.health import Check
from mita_otel.health.checks import application, breakers, database, redis, system


def checks(held: Services, settings: Settings) -> Sequence[Check]:
    """Return the checks of a service on these settings; without Redis there is none to look at."""
    found = [database(held.database.engine), system(), application(problems=settings.problems), breakers()]
    client = held.cache.client
    return [*found, redis(client)] if client is not None else found
