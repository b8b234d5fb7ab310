"""`sys.path` after a launcher: what it put there costs next to nothing where an import finds nothing.

A failed import looks into each folder of the path, at 5 us each and every time that it is tried. httpcore tries one
four times for each request that it sends (`sniffio`, which few have installed), so the two folders that a launcher adds
were a tenth of what telemetry costs such a request.
"""

import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Final

_HOOKS: Final = ("mita_otel.hook", "opentelemetry.instrumentation.auto_instrumentation")
"""The packages that have the `sitecustomize` by which a launcher has us called."""


def leave_launcher() -> None:
    """Take the launcher's own folder out of the path: it holds nothing but what has called us.

    `PYTHONPATH`, by which child processes are told of folders, is the launcher's business.
    """
    own = [folder for name in _HOOKS for folder in getattr(sys.modules.get(name), "__path__", ())]
    sys.path[:] = [entry for entry in sys.path if entry not in own]


def look_here_once() -> None:
    """Take the working directory out of the path where the entry "" is the same folder.

    A launcher adds it, and then a server adds "". Once the process has gone elsewhere, which may happen at any time, it
    is found as before.
    """
    folder = here()
    if folder and sys.path[:1] == [""] and folder in sys.path:
        sys.path[:] = [entry for entry in sys.path if entry != folder]
        sys.meta_path.append(_LeftFolder(folder))


def here() -> str:
    """Return the working directory, for which "" stands in the path; "" if it was deleted."""
    try:
        return os.getcwd()  # noqa: PTH109 - entries of the path are texts
    except OSError:
        return ""


class _LeftFolder(MetaPathFinder):
    """Looks into a folder that was the working directory, unless it still is.

    Args:
        folder: its path.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or (sys.path[:1] == [""] and here() == self._folder):
            return None
        return PathFinder.find_spec(fullname, [self._folder], target)
