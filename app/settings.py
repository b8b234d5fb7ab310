"""Settings of the service, from the environment."""

import secrets
from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr, StringConstraints
from pydantic_settings import BaseSettings, SettingsConfigDict

DATA_FOLDER = Path(__file__).parent.parent / "data"


class Settings(BaseSettings):
    """What the service needs to know; without any of it, it runs on SQLite and an in-process cache."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    database_url: str = ""
    redis_url: str | None = None
    rates_api_url: HttpUrl | None = None
    insights_api_url: HttpUrl | None = None
    jwt_secret: Annotated[SecretStr, Field(min_length=32)] = Field(
        default_factory=lambda: SecretStr(secrets.token_urlsafe(48))
    )
    jwt_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    migrate_on_start: bool | None = None
    default_currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")] = "USD"

    @property
    def sqlalchemy_url(self) -> str:
        """The database as SQLAlchemy names it: PostgreSQL by asyncpg, or SQLite by aiosqlite."""
        if not self.database_url:
            return f"sqlite+aiosqlite:///{DATA_FOLDER / 'mita.db'}"
        scheme, separator, rest = self.database_url.partition("://")
        drivers = {"postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
        return f"{drivers.get(scheme, scheme)}{separator}{rest}"

    @property
    def migrates(self) -> bool:
        """Whether the schema is brought up to date at start: always for SQLite, on request for PostgreSQL."""
        return self.sqlalchemy_url.startswith("sqlite") if self.migrate_on_start is None else self.migrate_on_start
