"""Lets a cache that does not answer rest, so that a request pays for that once and not for every key."""

import logging
from typing import Final

PAUSE: Final = 1.0
"""Seconds after a failure in which no one asks; then one does, for all."""

LOG_INTERVAL: Final = 60.0
"""Seconds between two log records about one cache that does not answer."""

_logger: Final = logging.getLogger("mita_otel.cache")


class Gate:
    """Open while the cache answers. After a failure one attempt each `PAUSE` is let through.

    Args:
        cache: its name, for the log.
    """

    __slots__ = ("_cache", "_closed_until", "_is_failing", "_logged_at")

    def __init__(self, cache: str) -> None:
        self._cache = cache
        self._is_failing = False
        self._closed_until = 0.0
        self._logged_at: float | None = None

    def lets_through(self, now: float) -> bool:
        """Say whether to ask the cache, at a time of `time.monotonic`."""
        if not self._is_failing:
            return True
        if now < self._closed_until:
            return False
        self._closed_until = now + PAUSE
        return True

    def answered(self) -> None:
        """Take note that the cache has answered."""
        self._is_failing = False

    def failed(self, error: Exception, now: float) -> None:
        """Take note that the cache has not answered; log it unless that was done within the last minute."""
        self._is_failing = True
        self._closed_until = now + PAUSE
        self._log("the cache %s does not answer; the service goes on without it", error, now)

    def refused(self, error: Exception, now: float) -> None:
        """Take note that the cache has answered with an error of its own; log it as above.

        It is there: that one key holds something else, or that its memory is full, is no reason to ask it nothing.
        """
        self._is_failing = False
        self._log("the cache %s refuses an operation; the service goes on without it", error, now)

    def _log(self, sentence: str, error: Exception, now: float) -> None:
        if self._logged_at is None or now - self._logged_at >= LOG_INTERVAL:
            self._logged_at = now
            told = {"cache": self._cache, "error.type": type(error).__name__}
            _logger.warning(sentence, self._cache, extra=told)
