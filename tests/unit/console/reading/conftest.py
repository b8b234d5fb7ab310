"""A console's file for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.console_file import ConsoleFile, console_file


@pytest.fixture
def file(tmp_path: Path) -> Iterator[ConsoleFile]:
    """An empty file of a console's."""
    with console_file(tmp_path) as made:
        yield made
