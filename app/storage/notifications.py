"""Messages to users, each kept once."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.notifications import DELIVERED_WITHIN, Channel, Message, State
from app.storage.committed import once_committed
from app.storage.models import Notification
from app.storage.upsert import insert
from mita_otel.metrics import business


async def notify(
    session: AsyncSession, user_id: UUID, channel: str, message: Message, now: datetime, *, traceparent: str | None
) -> bool:
    """Keep a message for delivery; False if the user has been told already. The caller commits, and rings the bell.

    Raises:
        sqlalchemy.exc.IntegrityError: there is no such user.
    """
    kept_only = channel == Channel.NONE
    new = insert(session, Notification).values(
        id=uuid4(),
        user_id=user_id,
        kind=message.kind.value,
        key=message.key,
        title=message.title,
        text=message.text,
        state=(State.DELIVERED if kept_only else State.PENDING).value,
        deadline=now + DELIVERED_WITHIN,
        created_at=now,
        due_at=None if kept_only else now,
        delivered_at=now if kept_only else None,
        attempts=0,
        traceparent=traceparent,
    )
    key = [Notification.user_id, Notification.key]
    made = await session.scalar(new.on_conflict_do_nothing(index_elements=key).returning(Notification.id))
    if made is not None:
        once_committed(session, lambda: business.notification("created"))
    return made is not None
