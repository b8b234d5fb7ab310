"""Lets a Redis that does not answer rest, so that hardly a request pays for it."""

import logging
from typing import Final

PAUSE: Final = 1.0
"""Seconds after a failure in which no request asks; then one does, for all."""

LOG_INTERVAL: Final = 60.0
"""Seconds between two log records that Redis does not answer."""

_logger: Final = logging.getLogger("mita_otel.ratelimit")


class Gate:
    """Open while Redis answers. After a failure one request each `PAUSE` is let through."""

    __slots__ = ("_asks_again_at", "_logged_at", "is_up")

    def __init__(self) -> None:
        self.is_up = True
        self._asks_again_at = 0.0
        self._logged_at: float | None = None

    def lets_through(self, now: float) -> bool:
        """Say whether to ask Redis, at a time of `time.monotonic`."""
        if self.is_up:
            return True
        if now < self._asks_again_at:
            return False
        self._asks_again_at = now + PAUSE
        return True

    def answered(self) -> None:
        """Take note that Redis has answered."""
        if not self.is_up:
            self.is_up = True
            _logger.info("rate limits are shared again: Redis answers")

    def failed(self, error: Exception, now: float) -> None:
        """Take note that Redis has not answered; log it unless that was done within the last minute."""
        self.is_up = False
        self._asks_again_at = now + PAUSE
        if self._logged_at is None or now - self._logged_at >= LOG_INTERVAL:
            self._logged_at = now
            told = {"error.type": type(error).__name__, "mita.log.stream": "security"}
            _logger.warning("rate limits fall back to what each policy says: Redis does not answer", extra=told)

    def retry_in(self, now: float) -> int:
        """Return the milliseconds until Redis is asked again."""
        return max(1, round((self._asks_again_at - now) * 1000))
