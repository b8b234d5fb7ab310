"""What users spend, mean to spend, and save."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from sqlalchemy import Date, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utc_now
from app.storage.models.types import Base, Moment, Money


class Transaction(Base):
    """Money spent: as it was paid, and in the user's own currency."""

    __tablename__ = "transactions"
    __table_args__ = (Index("ix_transactions_user_id_occurred_on", "user_id", "occurred_on"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    amount: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str] = mapped_column(String(3))
    home_amount: Mapped[Decimal] = mapped_column(Money)
    home_currency: Mapped[str] = mapped_column(String(3))
    category: Mapped[str] = mapped_column(String(32))
    description: Mapped[str] = mapped_column(String(500), default="")
    occurred_on: Mapped[date] = mapped_column(Date)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)


class Budget(Base):
    """What a user wants to spend on a category in a month."""

    __tablename__ = "budgets"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    category: Mapped[str] = mapped_column(String(32), primary_key=True)
    limit: Mapped[Decimal] = mapped_column(Money)


class Goal(Base):
    """What a user saves for, in their own currency."""

    __tablename__ = "goals"
    __table_args__ = (
        Index("ix_goals_user_id_created_at", "user_id", "created_at"),
        Index("ix_goals_user_id_due_on", "user_id", "due_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(100))
    currency: Mapped[str] = mapped_column(String(3))
    target: Mapped[Decimal] = mapped_column(Money)
    saved: Mapped[Decimal] = mapped_column(Money, default=Decimal(0))
    due_on: Mapped[date | None] = mapped_column(Date)
    reached_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)


class Receipt(Base):
    """What was read from an uploaded receipt, until the user makes a transaction of it; the file is not kept."""

    __tablename__ = "receipts"
    __table_args__ = (
        Index("ix_receipts_user_id_created_at", "user_id", "created_at"),
        Index("ix_receipts_transaction_id", "transaction_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    size: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    amount: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str | None] = mapped_column(String(3))
    category: Mapped[str] = mapped_column(String(32))
    description: Mapped[str] = mapped_column(String(500))
    occurred_on: Mapped[date | None] = mapped_column(Date)
    transaction_id: Mapped[UUID | None] = mapped_column(ForeignKey("transactions.id", ondelete="SET NULL"))
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)


class Purchase(Base):
    """Something bought inside the application, as the store confirmed it; revenue outlives its user."""

    __tablename__ = "purchases"
    __table_args__ = (
        Index("uq_purchases_store_transaction", "store", "store_transaction_id", unique=True),
        Index("ix_purchases_user_id_created_at", "user_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    store: Mapped[str] = mapped_column(String(16))
    store_transaction_id: Mapped[str] = mapped_column(String(100))
    product: Mapped[str] = mapped_column(String(100))
    amount_usd: Mapped[Decimal] = mapped_column(Money)
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
