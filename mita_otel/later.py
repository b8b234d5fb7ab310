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

    The SDK imports psutil, which takes 7 ms, for one attribute of a detector of resources that few ask for; our metrics
    of the process and the host need it when they are collected. Where it was measured, telemetry adds 90 ms to a start.
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
