"""Versions of packages are those that the standard library tells."""

from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from mita_otel.installed import version


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    version.cache_clear()
    yield
    version.cache_clear()


def installed(folder: Path, file: str, text: str) -> None:
    (folder / file).parent.mkdir()
    (folder / file).write_text(text)


def test_the_version_is_that_of_the_standard_library() -> None:
    names = [one.metadata["Name"] for one in metadata.distributions()]
    assert {name: version(name) for name in names} == {name: metadata.version(name) for name in names}


def test_a_package_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(metadata.PackageNotFoundError, match="no-such-package"):
        version("no-such-package")


def test_what_a_description_says_of_versions_is_not_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Metadata-Version: 2.1\nName: odd\nVersion: 1.2\n\nVersion: 9.9\n"
    installed(tmp_path, "odd-1.2.dist-info/METADATA", text)
    monkeypatch.syspath_prepend(tmp_path)
    assert version("odd") == "1.2"


def test_metadata_of_old_ways_to_install_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path, "old-3.4.egg-info/PKG-INFO", "Metadata-Version: 1.0\nName: old\nVersion: 3.4\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert version("old") == "3.4"
