"""Tells processes that serve an application from the helpers that Python and its tools start."""

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

_HELPER_CODE: Final = r"from multiprocessing\.(resource_tracker|semaphore_tracker|forkserver) import main"
_HELPER_MODULES: Final = frozenset({"pip", "ensurepip", "venv", "uv", "compileall", "py_compile"})
_HELPER_PROGRAMS: Final = frozenset({"pip", "pip3", "uv"})


def is_helper(arguments: Sequence[str]) -> bool:
    """Say whether a command line (as in `sys.orig_argv`) is a helper's, which gets no telemetry.

    Helpers are multiprocessing's resource tracker and fork server, and installers: they inherit the environment of the
    launcher but serve nobody. Spawned workers (`multiprocessing.spawn`) are not helpers.
    """
    rest = list(arguments[1:])
    while rest and rest[0].startswith("-") and rest[0] not in {"-c", "-m"}:
        takes_value = rest[0] in {"-X", "-W"}
        rest = rest[2 if takes_value else 1 :]
    match rest:
        case ["-c", code, *_]:
            return re.search(_HELPER_CODE, code) is not None
        case ["-m", module, *_]:
            return module.partition(".")[0] in _HELPER_MODULES
        case [program, *_]:
            return PurePath(program).name in _HELPER_PROGRAMS
        case _:
            return False
