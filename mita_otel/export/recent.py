"""A bounded memory of what is computed again and again."""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

OVERHEAD: Final = 256
"""Bytes that an entry takes besides its value: key, objects, room in the dict; roughly."""


class Recent(Generic[K]):
    """Remembers bytes by key, in two generations.

    A hit costs one look-up in a dict, where a list of what was used last would be reordered at each. When the young
    generation is full it becomes the old one, which is forgotten; what of it is asked for again is young again.

    Args:
        limit: bytes of one generation, overhead included.

    Attributes:
        young: what was kept or asked for since the last change; look here first, then call `find`.
    """

    __slots__ = ("_limit", "_old", "_size", "young")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._old: dict[K, bytes] = {}
        self.young: dict[K, bytes] = {}

    def find(self, key: K) -> bytes | None:
        """Return what was kept in the last generation, and keep it in this one."""
        value = self._old.get(key)
        if value is not None:
            self.keep(key, value)
        return value

    def keep(self, key: K, value: bytes) -> None:
        """Remember a value for as long as there is room."""
        self._size += len(value) + OVERHEAD
        if self._size > self._limit:
            self._old, self.young = self.young, {}
            self._size = len(value) + OVERHEAD
        self.young[key] = value
