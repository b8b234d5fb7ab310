"""What is left to be done after an answer: messages to deliver, months to add up again."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utc_now
from app.storage.models.types import Base, Moment, Total


class Claimable:
    """A row that one worker at a time takes on; `due_at` also says until when it is taken, None that it is not due.

    Attributes:
        traceparent: The request that caused the work.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    due_at: Mapped[datetime | None] = mapped_column(Moment, default=utc_now)
    attempts: Mapped[int] = mapped_column(default=0)
    traceparent: Mapped[str | None] = mapped_column(String(55))


class Job(Claimable, Base):
    """Work that a request leaves behind in its own transaction, gone when it is done."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_kind_due_at", "kind", "due_at"), Index("ix_jobs_user_id_kind", "user_id", "kind"))

    kind: Mapped[str] = mapped_column(String(32))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class Notification(Claimable, Base):
    """What a user is told; `key` says what it is about, so that it is told once."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index("ix_notifications_state_due_at", "state", "due_at"),
        Index("ix_notifications_user_id_created_at", "user_id", "created_at"),
        Index("uq_notifications_user_id_key", "user_id", "key", unique=True),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(150))
    title: Mapped[str] = mapped_column(String(200))
    text: Mapped[str] = mapped_column(String(1000))
    state: Mapped[str] = mapped_column(String(16), default="pending")
    deadline: Mapped[datetime] = mapped_column(Moment)
    delivered_at: Mapped[datetime | None] = mapped_column(Moment)
    read_at: Mapped[datetime | None] = mapped_column(Moment)


class Analytics(Claimable, Base):
    """How fresh a user's monthly totals are, and since when nobody cares; locked while they are added up."""

    __tablename__ = "analytics"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), unique=True)
    as_of: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime] = mapped_column(Moment)


class MonthlyTotal(Base):
    """What a user spent on a category in a month, as of the last time it was added up."""

    __tablename__ = "monthly_totals"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    category: Mapped[str] = mapped_column(String(32), primary_key=True)
    total: Mapped[Decimal] = mapped_column(Total)
    transactions: Mapped[int]
