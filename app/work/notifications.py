"""Messages to users, handed over within five minutes or not at all."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import update

from app.domain.notifications import DELIVERED_WITHIN, Attempt, Channel, State, after, is_late
from app.services import Services
from app.storage import Notification, User
from app.storage.queue import still_mine
from app.work.claiming import lag, work_off
from mita_otel import slo
from mita_otel.metrics import business
from mita_otel.traces import linked_work

logger = logging.getLogger(__name__)

BATCH = 10
"""Messages handed over at once: the message API's deadline of 5 s then ends all of them well before their claim."""


async def work(held: Services) -> float:
    """Deliver what is due."""
    return await work_off(held, Notification, BATCH, _handle, Notification.state == State.PENDING.value)


async def _handle(held: Services, due: Sequence[Notification]) -> None:
    await asyncio.gather(*(_deliver(held, notification) for notification in due))


async def _deliver(held: Services, notification: Notification) -> None:
    try:
        with linked_work("notification delivery", notification.traceparent):
            await _attempt(held, notification)
    except Exception:
        # The others go on; this one comes due again when its claim ends.
        logger.exception("notification delivery failed", extra={"notification.kind": notification.kind})


async def _attempt(held: Services, notification: Notification) -> None:
    outcome = Attempt.FAILED
    if not is_late(notification.deadline, held.now()):
        outcome = await _send(held, notification)
    now = held.now()
    state, due_at = after(outcome, notification.attempts, notification.deadline, now)
    values = {
        "state": state.value,
        "due_at": due_at,
        "delivered_at": now if state is State.DELIVERED else None,
    }
    async with held.database.session() as session:
        mine = still_mine(Notification, notification) & (Notification.state == State.PENDING.value)
        ours = await session.scalar(update(Notification).where(mine).values(values).returning(Notification.id))
        await session.commit()
    if ours is not None:
        _count(state, now - notification.created_at)
    logger.log(
        logging.INFO if state in {State.DELIVERED, State.PENDING} else logging.WARNING,
        "notification %s",
        state.value,
        extra={
            "notification.kind": notification.kind,
            "attempts": notification.attempts,
            "lag_seconds": lag(now - notification.created_at),
        },
    )


def _count(state: State, waited: timedelta) -> None:
    if state is not State.PENDING:
        slo.event("notifications", good=state is State.DELIVERED and waited <= DELIVERED_WITHIN)
    if state is State.DELIVERED:
        business.notification_delivered(lag(waited))
    elif state is State.EXPIRED:
        business.notification("expired")
    elif state is State.FAILED:
        business.notification("failed")


async def _send(held: Services, notification: Notification) -> Attempt:
    async with held.database.session() as session:
        user = await session.get(User, notification.user_id)
    if user is None:
        return Attempt.REFUSED
    channel = Channel(user.notify_by)
    if channel is Channel.NONE:
        return Attempt.ACCEPTED
    to = user.email if channel is Channel.EMAIL else str(user.id)
    # No connection is held while the message API is asked.
    return await held.messages.send(notification.id, channel, to, title=notification.title, text=notification.text)
