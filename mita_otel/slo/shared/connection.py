"""The connection to Redis: made when it is needed, given up when it fails, and what happens to it said once."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from redis import Redis

TIMEOUT: Final = 1.0
"""Seconds for a connection, and for an answer."""

_logger: Final = logging.getLogger("mita_otel.slo")


class Connection:
    """Holds a client.

    Args:
        url: of Redis, as redis-py takes it.
    """

    __slots__ = ("_client", "_is_away", "_url")

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Redis | None = None
        self._is_away = False

    @contextmanager
    def used(self) -> Iterator["Redis"]:
        """Use the client for a block; one that fails is not used again."""
        try:
            self._client = self._client or self._made()
            yield self._client
        except Exception as error:
            self.close()
            if not self._is_away:
                _logger.warning("objectives: Redis does not answer; counts are kept for a day meanwhile: %s", error)
            self._is_away = True
            raise
        if self._is_away:
            _logger.warning("objectives: Redis answers again, and is told what was counted meanwhile")
        self._is_away = False

    def close(self) -> None:
        """Give the client up."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def forget(self) -> None:
        """Leave the client to the parent process, whose socket it has."""
        self._client = None

    def _made(self) -> "Redis":
        from redis import Redis  # noqa: PLC0415 - only who shares needs it
        from redis.backoff import NoBackoff  # noqa: PLC0415 - as above
        from redis.retry import Retry  # noqa: PLC0415 - as above

        return Redis.from_url(
            self._url,
            socket_timeout=TIMEOUT,
            socket_connect_timeout=TIMEOUT,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )
