"""Sessions, resets, Google logins, goals, receipts, purchases, jobs, notifications and analytics."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from app.storage.models import Moment, Money, Total

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _user(nullable: bool = False, unique: bool = False) -> sa.Column[UUID]:
    key = sa.ForeignKey("users.id", ondelete="SET NULL" if nullable else "CASCADE")
    return sa.Column("user_id", sa.Uuid(), key, nullable=nullable, unique=unique)


def _moment(name: str, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, Moment(), nullable=nullable)


def _claimable() -> list[sa.Column[Any]]:
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        _moment("created_at"),
        _moment("due_at", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("traceparent", sa.String(55)),
    ]


def upgrade() -> None:
    """Apply."""
    op.add_column("users", sa.Column("notify_by", sa.String(8), nullable=False, server_default="push"))
    _logins()
    _money()
    _work()


def _logins() -> None:
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("chain", sa.Uuid(), nullable=False),
        _user(),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
        _moment("revoked_at", nullable=True),
    )
    op.create_index("ix_refresh_tokens_user_id", "refresh_tokens", ["user_id"])
    op.create_index("ix_refresh_tokens_chain", "refresh_tokens", ["chain"])
    op.create_index("ix_refresh_tokens_expires_at", "refresh_tokens", ["expires_at"])
    op.create_table(
        "password_resets",
        sa.Column("digest", sa.String(64), primary_key=True),
        _user(),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
    )
    op.create_index("ix_password_resets_user_id", "password_resets", ["user_id"])
    op.create_index("ix_password_resets_expires_at", "password_resets", ["expires_at"])
    op.create_table(
        "google_accounts",
        sa.Column("subject", sa.String(255), primary_key=True),
        _user(),
        _moment("created_at"),
    )
    op.create_index("ix_google_accounts_user_id", "google_accounts", ["user_id"])
    op.create_table(
        "google_logins",
        sa.Column("state_digest", sa.String(64), primary_key=True),
        sa.Column("browser_digest", sa.String(64), nullable=False),
        sa.Column("verifier", sa.String(128), nullable=False),
        _moment("expires_at"),
    )
    op.create_index("ix_google_logins_expires_at", "google_logins", ["expires_at"])


def _money() -> None:
    op.create_table(
        "goals",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _user(),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("target", Money(), nullable=False),
        sa.Column("saved", Money(), nullable=False),
        sa.Column("due_on", sa.Date()),
        _moment("reached_at", nullable=True),
        _moment("created_at"),
    )
    op.create_index("ix_goals_user_id_created_at", "goals", ["user_id", "created_at"])
    op.create_index("ix_goals_user_id_due_on", "goals", ["user_id", "due_on"])
    op.create_table(
        "receipts",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _user(),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("amount", Money(), nullable=False),
        sa.Column("currency", sa.String(3)),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("description", sa.String(500), nullable=False),
        sa.Column("occurred_on", sa.Date()),
        sa.Column("transaction_id", sa.Uuid(), sa.ForeignKey("transactions.id", ondelete="SET NULL")),
        _moment("confirmed_at", nullable=True),
        _moment("created_at"),
    )
    op.create_index("ix_receipts_user_id_created_at", "receipts", ["user_id", "created_at"])
    op.create_index("ix_receipts_transaction_id", "receipts", ["transaction_id"])
    op.create_table(
        "purchases",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _user(nullable=True),
        sa.Column("store", sa.String(16), nullable=False),
        sa.Column("store_transaction_id", sa.String(100), nullable=False),
        sa.Column("product", sa.String(100), nullable=False),
        sa.Column("amount_usd", Money(), nullable=False),
        _moment("created_at"),
    )
    op.create_index("uq_purchases_store_transaction", "purchases", ["store", "store_transaction_id"], unique=True)
    op.create_index("ix_purchases_user_id_created_at", "purchases", ["user_id", "created_at"])


def _work() -> None:
    op.create_table(
        "jobs",
        *_claimable(),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE")),
        sa.Column("payload", sa.JSON(), nullable=False),
    )
    op.create_index("ix_jobs_kind_due_at", "jobs", ["kind", "due_at"])
    op.create_index("ix_jobs_user_id_kind", "jobs", ["user_id", "kind"])
    op.create_table(
        "notifications",
        *_claimable(),
        _user(),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("key", sa.String(150), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("text", sa.String(1000), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        _moment("deadline"),
        _moment("delivered_at", nullable=True),
        _moment("read_at", nullable=True),
    )
    op.create_index("ix_notifications_state_due_at", "notifications", ["state", "due_at"])
    op.create_index("ix_notifications_user_id_created_at", "notifications", ["user_id", "created_at"])
    op.create_index("uq_notifications_user_id_key", "notifications", ["user_id", "key"], unique=True)
    op.create_table("analytics", *_claimable(), _user(unique=True), _moment("as_of"), _moment("used_at"))
    op.create_table(
        "monthly_totals",
        sa.Column("user_id", sa.Uuid(), sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("month", sa.Date(), primary_key=True),
        sa.Column("category", sa.String(32), primary_key=True),
        sa.Column("total", Total(), nullable=False),
        sa.Column("transactions", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    """Take back."""
    for table in ("monthly_totals", "analytics", "notifications", "jobs"):
        op.drop_table(table)
    for table in ("purchases", "receipts", "goals"):
        op.drop_table(table)
    for table in ("google_logins", "google_accounts", "password_resets", "refresh_tokens"):
        op.drop_table(table)
    op.drop_column("users", "notify_by")
