"""Finds the configuration of the stack and the versions it pins."""

from pathlib import Path
from typing import Final

from mita_otel.stack.model import StackError

_PACKAGE: Final = Path(__file__).resolve().parent.parent
_PLACES: Final = (_PACKAGE / "_stack", _PACKAGE.parent)
"""Package data of an installed wheel, and the root of a checkout."""


def root() -> Path:
    """Return the folder that holds `collector/` and `docker-compose.yaml`.

    Raises:
        StackError: the installation is incomplete.
    """
    for place in _PLACES:
        if (place / "collector" / "versions.env").is_file():
            return place
    raise StackError("the stack's configuration is missing from this installation: install mita-otel again")


def parse(text: str) -> dict[str, str]:
    """Return the variables of an env file: `NAME=value` lines, comments and blank lines left out."""
    pairs = (line.split("=", 1) for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def read_versions() -> dict[str, str]:
    """Return every version the stack is pinned to, by the name of its variable."""
    return parse((root() / "collector" / "versions.env").read_text())
