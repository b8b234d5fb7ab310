"""What the environment may say about the reference service."""

import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.settings import Settings, kept_secret


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("postgresql://u:p@h:5/n", "postgresql+asyncpg://u:p@h:5/n"),
        ("postgres://u:p@h/n?sslmode=require", "postgresql+asyncpg://u:p@h/n?ssl=require"),
        ("postgresql+asyncpg://u:p@h/n", "postgresql+asyncpg://u:p@h/n"),
        ("sqlite:////tmp/a.db", "sqlite+aiosqlite:////tmp/a.db"),
    ],
)
def test_an_address_gets_the_asynchronous_driver(given: str, expected: str) -> None:
    assert Settings(database_url=given).sqlalchemy_url == expected


@pytest.mark.parametrize("given", ["mysql://u:hunter2@h/n", "hunter2", "sqlite://", "sqlite:///:memory:"])
def test_an_address_that_cannot_work_is_refused_without_repeating_it(given: str) -> None:
    with pytest.raises(ValidationError, match="database_url") as refused:
        Settings(database_url=given)
    assert "hunter2" not in str(refused.value)


def test_a_short_secret_is_refused_without_repeating_it() -> None:
    values: dict[str, Any] = {"jwt_secret": "hunter2"}
    with pytest.raises(ValidationError, match="jwt_secret") as refused:
        Settings(**values)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "wish", "expected"),
    [("", None, True), ("postgresql://h/n", None, False), ("postgresql://h/n", True, True), ("", False, False)],
)
def test_postgresql_is_migrated_only_when_asked_for(address: str, *, wish: bool | None, expected: bool) -> None:
    assert Settings(database_url=address, migrate_on_start=wish).migrates is expected


def test_processes_of_one_machine_keep_one_secret_that_only_their_user_reads(tmp_path: Path) -> None:
    file = tmp_path / "data" / "jwt-secret"
    assert kept_secret(file) == kept_secret(file)
    assert len(kept_secret(file)) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["jwt-secret"]


def test_where_no_file_can_be_kept_a_process_has_a_secret_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    assert len(kept_secret(tmp_path / "data" / "jwt-secret")) >= 32
