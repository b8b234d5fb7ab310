"""Keeps a room's faults out of the application's calls, and its log from filling with them."""

import logging
import sys
import time
from typing import Final

INTERVAL: Final = 60.0
"""Seconds between two faults of one guard that are logged."""


class Guard:
    """Logs what failed, one fault a minute.

    Args:
        logger: of the room.
    """

    __slots__ = ("_logged_at", "_logger")

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._logged_at = float("-inf")

    def report(self, what: str) -> None:
        """Log the exception being handled, unless another was logged within the last minute."""
        now = time.monotonic()
        if now - self._logged_at >= INTERVAL:
            self._logged_at = now
            self._logger.warning("%s failed; calls go on", what, exc_info=sys.exception())
