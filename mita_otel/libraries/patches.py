"""Replaced attributes of other libraries, and the way back."""

from collections.abc import Callable
from types import ModuleType
from typing import Any


class Patches:
    """Replaces methods of classes and functions of modules, and remembers what was there."""

    __slots__ = ("_originals",)

    def __init__(self) -> None:
        self._originals: list[tuple[type | ModuleType, str, Any, bool]] = []

    def replace(self, owner: type | ModuleType, name: str, wrapper: Callable[[Any], Any]) -> None:
        """Put `wrapper(original)` in the place of a method or function.

        Raises:
            AttributeError: there is none of that name: the library is not one that we know.
        """
        original = getattr(owner, name)
        # A class method is put back as what the class holds, not as what it gives.
        self._originals.append((owner, name, vars(owner).get(name, original), name in vars(owner)))
        setattr(owner, name, wrapper(original))

    def undo(self) -> None:
        """Put back every original, the latest first."""
        while self._originals:
            owner, name, original, own = self._originals.pop()
            if own:
                setattr(owner, name, original)
            else:
                delattr(owner, name)
