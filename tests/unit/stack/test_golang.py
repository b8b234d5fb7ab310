"""Finding Go."""

from pathlib import Path

import pytest

from mita_otel.stack import StackError, golang
from mita_otel.stack.model import silent

VERSIONS = {"GO_VERSION": "1.26.5", "GO_WHEEL_VERSION": "1.27.3"}


def write_go(path: Path, version: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho go version go{version} linux/amd64\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "system" / "bin" / "go"
    monkeypatch.setattr(golang, "_USUAL", tmp_path / "nowhere")
    monkeypatch.setattr("shutil.which", lambda name, **_: str(path) if name == "go" else None)
    return path


def test_a_go_that_is_new_enough_is_used(on_path: Path, tmp_path: Path) -> None:
    write_go(on_path, "1.26.5")
    assert golang.find(tmp_path / "cache", VERSIONS, silent) == on_path


def test_an_old_go_is_left_alone_and_the_pinned_one_installed(
    on_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_go(on_path, "1.19.8")
    monkeypatch.setattr(golang, "_install", lambda _, target: write_go(target / "go" / "bin" / "go", "1.27.3"))
    found = golang.find(tmp_path / "cache", VERSIONS, silent)
    assert found.is_relative_to(tmp_path / "cache" / "go")


def test_without_go_and_installer_the_error_says_what_to_do(
    on_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(StackError, match=r"install Go and run again$"):
        golang.find(tmp_path / "cache", VERSIONS, silent)
