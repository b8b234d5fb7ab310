"""Modules that another one imports as it is imported, and few need: loaded by who needs them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any


class Later(ModuleType):
    """Stands for a module; who asks it for something has the module loaded, and gets what that has."""

    def __getattr__(self, name: str) -> Any:
        """Return an attribute of the module."""
        _leave(self)
        return getattr(import_module(self.__name__), name)


@contextmanager
def loaded_later(name: str) -> Iterator[None]:
    """Have imports of a module in this block get one that stands for it, unless it is loaded already.

    The SDK imports psutil, which has long lists of names for each system, for one attribute of a detector of resources
    that few ask for: a tenth of what telemetry adds to the start of a process.
    """
    standing = None if name in sys.modules else Later(name)
    if standing is not None:
        sys.modules[name] = standing
    try:
        yield
    finally:
        if standing is not None:
            _leave(standing)


def _leave(standing: Later) -> None:
    if sys.modules.get(standing.__name__) is standing:
        del sys.modules[standing.__name__]
