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

_LAUNCHER: Final = "opentelemetry.instrumentation.auto_instrumentation"
"""The package that has the `sitecustomize` by which a launcher has us called."""


def leave_launcher() -> None:
    """Take the launcher's own folder out of the path: it holds nothing but what has called us.

    Child processes are given the folder by `PYTHONPATH`, which is not touched.
    """
    own = getattr(sys.modules.get(_LAUNCHER), "__path__", ())
    sys.path[:] = [entry for entry in sys.path if entry not in own]


def look_here_once() -> None:
    """Take the working directory out of the path where the entry "" is the same folder.

    A launcher adds it, and then a server adds "". Once the process has gone elsewhere, which may happen at any time, it
    is found as before.
    """
    here = os.getcwd()  # noqa: PTH109 - entries of the path are texts
    if sys.path[:1] == [""] and here in sys.path:
        sys.path[:] = [entry for entry in sys.path if entry != here]
        sys.meta_path.append(_LeftFolder(here))


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
        if path is not None or (sys.path[:1] == [""] and _is_here(self._folder)):
            return None
        return PathFinder.find_spec(fullname, [self._folder], target)


def _is_here(folder: str) -> bool:
    try:
        return os.getcwd() == folder  # noqa: PTH109 - as above
    except OSError:  # it was deleted
        return False
