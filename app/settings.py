"""Settings of the service, from the environment."""

import logging
import os
import secrets
from pathlib import Path
from typing import Annotated

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.domain.money import KnownCurrency

logger = logging.getLogger(__name__)

DATA_FOLDER = Path(__file__).parent.parent / "data"

DRIVERS = {
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
}


class Settings(BaseSettings):
    """What the service needs to know; without any of it, it runs on SQLite and an in-process cache."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,  # passwords are in addresses
    )

    database_url: str = ""
    redis_url: str | None = None
    share_breakers: bool = False
    rates_api_url: HttpUrl | None = None
    insights_api_url: HttpUrl | None = None
    insights_api_key: SecretStr | None = None
    insights_model: Annotated[str, StringConstraints(pattern="^[!-~]{1,100}$")] = "gpt-4o-mini"
    messages_api_url: HttpUrl | None = None
    store_api_url: HttpUrl | None = None
    google_client_id: Annotated[str, StringConstraints(pattern="^[!-~]{1,255}$")] | None = None
    google_client_secret: SecretStr | None = None
    google_oauth_url: HttpUrl | None = None
    public_url: HttpUrl = HttpUrl("http://127.0.0.1:8000")
    jwt_secret: Annotated[SecretStr, Field(min_length=32)] | None = None
    jwt_minutes: Annotated[int, Field(ge=1, le=1440)] = 60
    refresh_days: Annotated[int, Field(ge=1, le=365)] = 30
    migrate_on_start: bool | None = None
    audit_folder: Path = DATA_FOLDER / "audit"
    background_work: bool = True
    background_seconds: Annotated[float, Field(ge=0.1, le=60)] = 15.0
    default_currency: KnownCurrency = "USD"

    @field_validator("database_url")
    @classmethod
    def _known_scheme(cls, value: str) -> str:
        scheme, separator, rest = value.partition("://")
        if value and (not separator or scheme not in DRIVERS):
            raise ValueError("must be postgresql://user:password@host/name or sqlite:///file")
        if scheme.startswith("sqlite") and rest.strip("/") in {"", ":memory:"}:
            raise ValueError("must name a file, for every connection would see a memory of its own")
        return value

    @property
    def sqlalchemy_url(self) -> str:
        """The database as SQLAlchemy names it: PostgreSQL by asyncpg, or SQLite by aiosqlite."""
        if not self.database_url:
            return f"sqlite+aiosqlite:///{DATA_FOLDER / 'mita.db'}"
        scheme, separator, rest = self.database_url.partition("://")
        address, question, query = rest.partition("?")
        # libpq and most providers say sslmode where asyncpg says ssl.
        return f"{DRIVERS[scheme]}{separator}{address}{question}{query.replace('sslmode=', 'ssl=')}"

    @property
    def migrates(self) -> bool:
        """Whether the schema is brought up to date at start: always for SQLite, on request for PostgreSQL."""
        return self.sqlalchemy_url.startswith("sqlite") if self.migrate_on_start is None else self.migrate_on_start

    def problems(self) -> list[str]:
        """Return a sentence for each setting that does for one machine, and not for a service."""
        found = []
        if self.jwt_secret is None:
            found.append("JWT_SECRET is not set: tokens of one machine are no good on another")
        if not self.database_url:
            found.append("DATABASE_URL is not set: what one machine keeps no other one sees")
        return found

    def signing_secret(self) -> str:
        """Return JWT_SECRET; without it, one kept beside the data, so that the workers of one machine agree."""
        if self.jwt_secret is not None:
            return self.jwt_secret.get_secret_value()
        logger.warning("JWT_SECRET is not set: tokens are signed with a secret of this machine's own")
        return kept_secret(DATA_FOLDER / "jwt-secret")


def kept_secret(file: Path) -> str:
    """Return the secret in a file, made by whoever comes first; without a file, this process's own."""
    made = secrets.token_urlsafe(48)
    aside = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        aside.touch(mode=0o600)
        aside.write_text(made)
        _keep_first(aside, file)
        return file.read_text()
    except OSError as error:
        logger.warning("the secret cannot be kept; every process has its own", extra={"cause": type(error).__name__})
        return made


def _keep_first(aside: Path, file: Path) -> None:
    """Link the whole file into place: no process ever reads half a secret."""
    try:
        os.link(aside, file)
    except FileExistsError:
        pass  # another process was first; its secret counts
    finally:
        aside.unlink()
