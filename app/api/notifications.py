"""Notifications: what the user was told, or should have been."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from sqlalchemy import func, select, update

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.api.pages import PAGE, Cursor, Limit, Order, next_cursor
from app.domain.notifications import Kind, State
from app.errors import not_found
from app.storage import Notification

router = APIRouter(prefix="/notifications", tags=["notifications"])


class NotificationView(BaseModel):
    """A notification; its state tells what became of its delivery, it can be read here in every state."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: Kind
    title: str
    text: str
    state: State
    created_at: datetime
    deadline: datetime
    delivered_at: datetime | None
    read_at: datetime | None


class NotificationPage(BaseModel):
    """A page of notifications, newest first."""

    items: list[NotificationView]
    next_cursor: str | None


@router.get("")
async def list_notifications(
    caller: CallerNeeded,
    held: ServicesNeeded,
    *,
    unread: bool = False,
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> NotificationPage:
    """Return a page of the caller's notifications."""
    wanted = select(Notification).where(Notification.user_id == caller.user_id)
    if unread:
        wanted = wanted.where(Notification.read_at.is_(None))
    async with held.database.session() as session:
        order = Order(Notification.created_at, Notification.id)
        found = (await session.scalars(order.page(wanted, cursor, limit))).all()
    items = [NotificationView.model_validate(item) for item in found[:limit]]
    return NotificationPage(items=items, next_cursor=next_cursor(found, limit))


@router.post("/{notification_id}/read")
async def mark_read(notification_id: UUID, caller: CallerNeeded, held: ServicesNeeded) -> NotificationView:
    """Say that a notification was read; the first time counts."""
    own = (Notification.id == notification_id) & (Notification.user_id == caller.user_id)
    read = update(Notification).where(own).values(read_at=func.coalesce(Notification.read_at, held.now()))
    async with held.database.session() as session:
        notification = await session.scalar(read.returning(Notification))
        await session.commit()
    if notification is None:
        raise not_found("notification")
    return NotificationView.model_validate(notification)
