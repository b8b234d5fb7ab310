"""A module that another imports is loaded when somebody needs it."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from mita_otel.later import loaded_later


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a module that is not loaded."""
    (tmp_path / "heavy_module.py").write_text("from loads import happened\nhappened.append(1)\nanswer = 42\n")
    (tmp_path / "loads.py").write_text("happened = []\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "heavy_module"
    for loaded in ("heavy_module", "loads"):
        sys.modules.pop(loaded, None)


def loads() -> int:
    """Return how often the module was loaded."""
    return len(importlib.import_module("loads").happened)


def importing(name: str) -> ModuleType:
    """Import a module as a statement would."""
    return __import__(name)


def test_who_imports_it_meanwhile_has_it_once_something_is_asked_of_it(name: str) -> None:
    with loaded_later(name):
        imported = importing(name)
    assert loads() == 0
    assert (imported.answer, loads()) == (42, 1)


def test_who_imports_it_afterwards_gets_the_module_itself(name: str) -> None:
    with loaded_later(name):
        before = importing(name)
    after = importing(name)
    assert (type(after), after.answer) == (ModuleType, 42)
    assert (before.answer, loads()) == (42, 1)


def test_who_needs_it_meanwhile_has_it_loaded_at_once(name: str) -> None:
    with loaded_later(name):
        assert importing(name).answer == 42
        assert importing(name) is sys.modules[name]
        assert type(sys.modules[name]) is ModuleType
    assert (importing(name).answer, loads()) == (42, 1)


def test_one_that_is_loaded_is_left_as_it_is(name: str) -> None:
    loaded = importing(name)
    with loaded_later(name):
        assert importing(name) is loaded
    assert sys.modules[name] is loaded


def test_one_that_is_not_there_is_missed_by_who_needs_it() -> None:
    with loaded_later("no_such_module"):
        imported = importing("no_such_module")
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        _ = imported.anything


def test_a_module_has_no_more_attributes_than_it_has(name: str) -> None:
    with loaded_later(name):
        imported = importing(name)
    assert not hasattr(imported, "question")
