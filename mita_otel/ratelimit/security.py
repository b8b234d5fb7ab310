"""Who is blocked most: kept for the endpoint of administrators, told to the security log once a minute."""

import asyncio
import logging
import time
from typing import Final, NamedTuple

from mita_otel.ratelimit.offenders import Frequent, Sketch

INTERVAL: Final = 60.0
"""Seconds between two log records, if anybody was blocked."""

TOLD: Final = 5
"""Clients that a log record names."""

_logger: Final = logging.getLogger("mita_otel.ratelimit")


class Blocked(NamedTuple):
    """A client that was blocked: by a digest, as addresses and accounts are nobody's business."""

    policy: str
    kind: str
    client: str


class Offenders:
    """Counts blocked requests by client, since the process started and for the log record to come."""

    __slots__ = ("_due", "_lately", "all")

    def __init__(self) -> None:
        self.all: Sketch[Blocked] = Sketch()
        self._lately: Sketch[Blocked] = Sketch()
        self._due = 0.0

    def blocked(self, blocked: Blocked) -> None:
        """Count one; the first in a while has the event loop tell of it and what follows, a minute later."""
        self.all.add(blocked)
        self._lately.add(blocked)
        now = time.monotonic()
        # Long overdue is what a loop that has ended was to tell.
        if self._lately.total == 1 or now > self._due + INTERVAL:
            self._due = now + INTERVAL
            asyncio.get_running_loop().call_later(INTERVAL, self.tell)

    def tell(self) -> None:
        """Log who was blocked most since the last time, if anybody was."""
        lately, self._lately = self._lately, Sketch()
        if lately.total:
            _logger.warning(
                "rate limits blocked %d requests",
                lately.total,
                extra={
                    "mita.log.stream": "security",
                    "event.name": "mita.rate_limit.offenders",
                    "mita.rate_limit.blocked": lately.total,
                    "mita.rate_limit.offenders": [_sentence(each) for each in lately.top(TOLD)],
                },
            )


def _sentence(found: Frequent[Blocked]) -> str:
    policy, kind, client = found.key
    times = str(found.at_most) if found.at_least == found.at_most else f"{found.at_least} to {found.at_most}"
    return f"{kind} {client} by {policy}: {times} times"
