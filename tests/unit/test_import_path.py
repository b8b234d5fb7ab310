"""What a launcher adds to `sys.path` is not looked into for nothing, and everything is found as before."""

import importlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from mita_otel import import_path

HOOKS = ("opentelemetry.instrumentation.auto_instrumentation", "mita_otel.hook")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A working directory of the test's own with a module in it, on the path as a launcher and a server put it."""
    (tmp_path / "found_by_test.py").touch()
    monkeypatch.chdir(tmp_path)
    here = str(Path.cwd())
    monkeypatch.setattr(sys, "path", ["", here, *sys.path])
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield here
    sys.modules.pop("found_by_test", None)
    importlib.invalidate_caches()


@pytest.mark.parametrize("hook", HOOKS)
def test_the_folder_of_the_launcher_leaves_the_path_and_nothing_else_does(
    hook: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = types.ModuleType(hook)
    launcher.__path__ = ["/opt/launcher"]
    monkeypatch.setitem(sys.modules, hook, launcher)
    monkeypatch.setattr(sys, "path", ["", "/opt/launcher", "/srv/shop", "/opt/launcher/more"])
    import_path.leave_launcher()
    assert sys.path == ["", "/srv/shop", "/opt/launcher/more"]


def test_without_a_launcher_the_path_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for hook in HOOKS:
        monkeypatch.delitem(sys.modules, hook, raising=False)
    before = list(sys.path)
    import_path.leave_launcher()
    assert sys.path == before


def test_the_working_directory_is_looked_into_once(here: str) -> None:
    import_path.look_here_once()
    assert here not in sys.path
    assert importlib.import_module("found_by_test").__name__ == "found_by_test"


def test_what_was_the_working_directory_is_found_after_the_process_went_elsewhere(
    here: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_path.look_here_once()
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert importlib.import_module("found_by_test").__file__ == str(Path(here) / "found_by_test.py")


def test_what_was_the_working_directory_is_found_after_the_servers_entry_is_gone(here: str) -> None:
    import_path.look_here_once()
    sys.path.remove("")
    assert importlib.import_module("found_by_test").__file__ == str(Path(here) / "found_by_test.py")


def test_what_is_nowhere_is_not_found(here: str) -> None:
    import_path.look_here_once()
    assert here not in sys.path
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("found_by_nobody")


def test_the_working_directory_stays_where_no_server_has_added_it(here: str) -> None:
    sys.path.remove("")
    import_path.look_here_once()
    assert sys.path[0] == here


def test_a_deleted_working_directory_breaks_no_import(here: str, tmp_path: Path) -> None:
    import_path.look_here_once()
    (tmp_path / "found_by_test.py").unlink()
    tmp_path.rmdir()
    assert not Path(here).exists()
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("found_by_nobody")


def test_a_server_starts_in_a_working_directory_that_was_deleted(here: str, tmp_path: Path) -> None:
    (tmp_path / "found_by_test.py").unlink()
    tmp_path.rmdir()
    import_path.look_here_once()
    assert sys.path[:2] == ["", here]
