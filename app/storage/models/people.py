"""Who uses the service, and how they prove it."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utc_now
from app.storage.models.types import Base, Moment

DIGEST = 64
"""Characters of a SHA-256 in hexadecimal: secrets themselves are not stored."""


class User(Base):
    """Who uses the service; without a password hash they log in by Google only."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    name: Mapped[str] = mapped_column(String(100), default="")
    currency: Mapped[str] = mapped_column(String(3))
    notify_by: Mapped[str] = mapped_column(String(8), default="push", server_default="push")
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)


class RefreshToken(Base):
    """One link of a chain: each is exchanged once for the next, and a chain ends as a whole."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index("ix_refresh_tokens_user_id", "user_id"),
        Index("ix_refresh_tokens_chain", "chain"),
        Index("ix_refresh_tokens_expires_at", "expires_at"),
    )

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    chain: Mapped[UUID]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class PasswordReset(Base):
    """A secret that was mailed to a user and sets a new password, once."""

    __tablename__ = "password_resets"
    __table_args__ = (
        Index("ix_password_resets_user_id", "user_id"),
        Index("ix_password_resets_expires_at", "expires_at"),
    )

    digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class GoogleAccount(Base):
    """Whom Google knows by a subject: its e-mail address may change, the subject does not."""

    __tablename__ = "google_accounts"
    __table_args__ = (Index("ix_google_accounts_user_id", "user_id"),)

    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(Moment, default=utc_now)


class GoogleLogin(Base):
    """A login by Google that is under way in one browser."""

    __tablename__ = "google_logins"
    __table_args__ = (Index("ix_google_logins_expires_at", "expires_at"),)

    state_digest: Mapped[str] = mapped_column(String(DIGEST), primary_key=True)
    browser_digest: Mapped[str] = mapped_column(String(DIGEST))
    verifier: Mapped[str] = mapped_column(String(128))
    expires_at: Mapped[datetime] = mapped_column(Moment)
