"""Columns that the two databases keep differently, and the base of every table."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, DateTime, Dialect, Numeric, TypeDecorator
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

SCALE = 4
"""Decimal places of a stored amount: enough for every currency and for converted amounts."""


class Money(TypeDecorator[Decimal]):
    """NUMERIC where the database has decimals; whole ten-thousandths where it would make a float of them."""

    impl = Numeric(20, SCALE)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column's type for a dialect."""
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(20, SCALE))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Return what is stored."""
        return int(value.scaleb(SCALE)) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Return what was stored."""
        return Decimal(value).scaleb(-SCALE) if value is not None and dialect.name == "sqlite" else value


class Total(Money):
    """A sum of amounts: wide enough for more of them than anybody enters; on SQLite at most 9.2e14."""

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the column's type for a dialect."""
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else Numeric(38, SCALE))


class Moment(TypeDecorator[datetime]):
    """A time in UTC; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the time with its zone."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


class Base(DeclarativeBase):
    """Every table."""
