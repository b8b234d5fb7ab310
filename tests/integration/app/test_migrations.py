"""The schema, built and taken back by Alembic, by one process or by several."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import NullPool

from app.settings import Settings
from app.storage import Base, User
from mita_otel.logs.audit import schema
from tests.fixtures.service import ROOT, ServiceProcess

TABLES = {table.name for table in Base.metadata.sorted_tables}
ALEMBIC = ["alembic", "-c", "app/alembic.ini"]


@pytest.fixture(params=["postgresql", "sqlite"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'app.db'}"
    return str(request.getfixturevalue("postgres_url"))


async def look(address: str, read: Callable[[Connection], Any]) -> Any:
    engine = create_async_engine(Settings(database_url=address).sqlalchemy_url, poolclass=NullPool)
    async with engine.connect() as connection:
        return await connection.run_sync(read)


def tables(connection: Connection) -> set[str]:
    names = set(inspect(connection).get_table_names()) - {"alembic_version"}
    return {name for name in names if not schema.is_ours(name)}


def ours(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or not schema.is_ours(name)


def differences(connection: Connection) -> list[Any]:
    """What Alembic would still change: tables, columns, their types, NULLs, indexes, foreign keys."""
    context = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": ours})
    return list(compare_metadata(context, Base.metadata))


async def test_the_command_line_builds_every_table_and_takes_it_back(
    start_service: Callable[..., ServiceProcess], address: str
) -> None:
    environment = {"DATABASE_URL": address}
    for step, expected in ((("upgrade", "head"), TABLES), (("downgrade", "base"), set())):
        process = start_service([*ALEMBIC, *step], environment)
        assert process.wait() == 0, process.stderr
        assert await look(address, tables) == expected


async def test_the_migrations_build_what_the_models_describe(address: str, serve: Callable[..., Any]) -> None:
    await serve(database_url=address)
    assert await look(address, differences) == []


async def test_what_was_stored_before_a_migration_is_there_after_it(address: str) -> None:
    engine = create_async_engine(Settings(database_url=address).sqlalchemy_url, poolclass=NullPool)

    async def migrate(step: Callable[[Config, str], None], target: str) -> None:
        def run(connection: Connection) -> None:
            config = Config()
            config.set_main_option("script_location", str(ROOT / "app" / "storage" / "migrations"))
            config.attributes["connection"] = connection
            step(config, target)

        async with engine.begin() as connection:
            await connection.run_sync(run)

    await migrate(command.upgrade, "0001")
    user = {"id": uuid4().hex if "sqlite" in address else uuid4(), "now": datetime.now(UTC).replace(microsecond=1)}
    if "sqlite" in address:
        user["now"] = str(user["now"])[:26]
    async with engine.begin() as connection:
        columns = "id, email, password_hash, name, currency, created_at"
        row = "(:id, 'jane@example.com', 'x', 'Jane', 'USD', :now)"
        await connection.execute(text(f"INSERT INTO users ({columns}) VALUES {row}"), user)
    await migrate(command.upgrade, "head")
    await migrate(command.downgrade, "0001")
    await migrate(command.upgrade, "head")
    async with AsyncSession(engine) as session:
        found = (await session.scalars(select(User))).one()
    assert (found.email, found.notify_by) == ("jane@example.com", "push")


async def test_starting_twice_migrates_once(address: str, serve: Callable[..., Any]) -> None:
    await serve(database_url=address)
    await serve(database_url=address)
    assert await look(address, tables) == TABLES


async def test_workers_that_start_at_once_migrate_once(
    start_service: Callable[..., ServiceProcess], free_port: int, address: str
) -> None:
    environment = {"DATABASE_URL": address, "MIGRATE_ON_START": "true", "JWT_SECRET": "s" * 40}
    serving = ["uvicorn", "app.main:app", "--port", str(free_port), "--workers", "3"]
    process = start_service(serving, environment)
    process.wait_until_it_answers(f"http://127.0.0.1:{free_port}/health")
    assert await look(address, tables) == TABLES
    assert "Traceback" not in process.stderr
