"""Whether the application is set up as it should be where it runs."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from mita_otel.health.levels import Level
from mita_otel.health.model import Check, Reading

PRODUCTION: Final = frozenset({"production", "prod"})


def application(
    *,
    environment: str = "",
    debug: bool = False,
    problems: Callable[[], Sequence[str]] = tuple,
    name: str = "application",
) -> Check:
    """Return the check of the application itself.

    Args:
        environment: that it runs in.
        debug: whether it tells strangers more than it should; in production that is no way to run.
        problems: returns a sentence for each setting that does not fit; called at each look.
        name: of the component.
    """
    began = time.monotonic()

    async def look() -> Sequence[Reading]:
        found = len(problems())
        exposed = debug and environment.lower() in PRODUCTION
        return (
            Reading("uptime", time.monotonic() - began, "s"),
            Reading("environment", environment),
            Reading("debug", debug, level=Level.CRITICAL if exposed else Level.HEALTHY),
            Reading("configuration_problems", found, level=Level.DEGRADED if found else Level.HEALTHY, limit=0),
        )

    return Check(name, look)
