"""The schema, built and taken back by Alembic, by one process or by several."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.settings import Settings
from app.storage import Base
from tests.fixtures.service import ServiceProcess

TABLES = {"users", "transactions", "budgets"}
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
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def columns(connection: Connection) -> dict[str, set[str]]:
    seen = inspect(connection)
    return {table: {column["name"] for column in seen.get_columns(table)} for table in TABLES}


async def test_the_command_line_builds_every_table_and_takes_it_back(
    start_service: Callable[..., ServiceProcess], address: str
) -> None:
    environment = {"DATABASE_URL": address}
    for command, expected in ((("upgrade", "head"), TABLES), (("downgrade", "base"), set())):
        process = start_service([*ALEMBIC, *command], environment)
        assert process.wait() == 0, process.stderr
        assert await look(address, tables) == expected


async def test_the_migrations_build_what_the_models_describe(serve: Callable[..., Any], address: str) -> None:
    await serve(database_url=address)
    built = await look(address, columns)
    assert built == {table.name: {column.name for column in table.columns} for table in Base.metadata.sorted_tables}


async def test_starting_twice_migrates_once(serve: Callable[..., Any], address: str) -> None:
    await serve(database_url=address)
    await serve(database_url=address)
    assert await look(address, tables) == TABLES


async def test_workers_that_start_at_once_migrate_once(
    start_service: Callable[..., ServiceProcess], free_port: int, address: str
) -> None:
    environment = {"DATABASE_URL": address, "MIGRATE_ON_START": "true", "JWT_SECRET": "s" * 40}
    command = ["uvicorn", "app.main:app", "--port", str(free_port), "--workers", "3"]
    process = start_service(command, environment)
    process.wait_until_it_answers(f"http://127.0.0.1:{free_port}/health")
    assert await look(address, tables) == TABLES
    assert "Traceback" not in process.stderr
