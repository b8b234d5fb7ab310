"""`mita-instrument`: `opentelemetry-instrument` with this distribution, whatever the environment says."""

import os
import shutil
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

_FIXED: Final = {"--distro": "OTEL_PYTHON_DISTRO", "--configurator": "OTEL_PYTHON_CONFIGURATOR"}
"""Options of the launcher that would choose another one, and their variables."""

_ALONE: Final = frozenset({"-h", "--help", "--version"})
"""Options of the launcher that take no value."""

_USAGE, _NOT_FOUND = 2, 127


def main() -> None:
    """Hand over to the launcher."""
    command = _command(sys.argv[1:])
    if command is not None and shutil.which(command) is None:
        _fail(f"there is no program {command!r} on the PATH", _NOT_FOUND)
    for variable in _FIXED.values():
        os.environ[variable] = "mita"
    from opentelemetry.instrumentation.auto_instrumentation import run  # noqa: PLC0415 - reads the environment

    run()


def _command(arguments: Sequence[str]) -> str | None:
    """Return the program that is to be run, or None if none is."""
    rest = iter(arguments)
    for argument in rest:
        if not argument.startswith("-") or argument == "--":
            return next(rest, None) if argument == "--" else argument
        name, equals, _ = argument.partition("=")
        if name in _ALONE:
            return None
        for option in _FIXED:
            # The launcher takes any beginning of an option that is no other's.
            if option.startswith(name) and len(name) > len("--dis"):
                _fail(f"{option} is mita here; opentelemetry-instrument lets you choose", _USAGE)
        if not equals:
            next(rest, None)
    return None


def _fail(sentence: str, status: int) -> NoReturn:
    print(f"mita-instrument: {sentence}", file=sys.stderr)  # noqa: T201 - there is no logging yet
    raise SystemExit(status)
