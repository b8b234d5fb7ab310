"""The folder is one console's alone."""

from pathlib import Path

import pytest

from mita_otel.console import ConsoleError
from mita_otel.console.place import place


def test_a_temporary_folder_goes_with_all_that_is_in_it() -> None:
    with place(None) as folder:
        (folder / "console.db").write_text("x")
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def test_a_given_folder_is_made_and_stays(tmp_path: Path) -> None:
    wanted = tmp_path / "a" / "b"
    with place(wanted) as folder:
        (folder / "console.db").write_text("x")
    assert (wanted / "console.db").read_text() == "x"


def test_two_consoles_cannot_use_one_folder(tmp_path: Path) -> None:
    with place(tmp_path), pytest.raises(ConsoleError, match="another console uses it"), place(tmp_path):
        pass
    with place(tmp_path):
        pass


def test_what_is_no_folder_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConsoleError, match="--folder"), place(tmp_path / "file" / "folder"):
        pass
