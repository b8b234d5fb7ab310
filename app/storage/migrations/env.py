"""Runs migrations on the connection it is given, or on `DATABASE_URL` from the command line."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from app.settings import Settings
from app.storage.models import Base
from mita_otel.logs.audit import schema


def ours(name: str | None, kind: str, _: object) -> bool:
    """Leave the audit log's tables to their own schema."""
    return kind != "table" or not schema.is_ours(name)


def run(connection: Connection) -> None:
    """Migrate within one transaction."""
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, include_name=ours)
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_run() -> None:
    """Migrate the configured database."""
    engine = create_async_engine(Settings().sqlalchemy_url)
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(connect_and_run())
