"""Messages to users' devices and mailboxes, through a message API."""

import logging
from uuid import UUID

from app.clients.upstream import Upstream, UpstreamError
from app.domain.notifications import Attempt, Channel

logger = logging.getLogger(__name__)


class Messages:
    """Hands messages over."""

    def __init__(self, url: str | None, upstream: Upstream) -> None:
        """Take the API's base URL, or None if there is none."""
        self._url = url
        self._upstream = upstream

    async def send(self, message_id: UUID, channel: Channel, to: str, *, title: str, text: str) -> Attempt:
        """Hand over a message; the same id again is the same message, and is not sent twice.

        Never raises: a message whose API fails is to be tried again.
        """
        if self._url is None:
            logger.warning("no message API is configured (MESSAGES_API_URL)")
            return Attempt.FAILED
        body = {"channel": channel.value, "to": to, "title": title, "text": text}
        try:
            url, headers = f"{self._url}/v1/messages", {"idempotency-key": str(message_id)}
            await self._upstream.call("POST", url, read=bool, json=body, headers=headers)
        except UpstreamError as error:
            logger.warning("the message API failed", extra={"channel": channel.value, "cause": str(error)})
            return Attempt.REFUSED if error.is_refusal else Attempt.FAILED
        return Attempt.ACCEPTED
