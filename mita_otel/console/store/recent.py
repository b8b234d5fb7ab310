"""A mapping that keeps what was put in lately."""

from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Keeps at least the last `size` entries and at most twice as many, at the cost of a dict.

    Throwing out the eldest entry at each new one would walk over all the holes at the head of the dict.
    """

    __slots__ = ("_old", "_size", "_young")

    def __init__(self, size: int) -> None:
        self._size = size
        self._young: dict[bytes, Value] = {}
        self._old: dict[bytes, Value] = {}

    def put(self, key: bytes, value: Value) -> None:
        """Remember a value."""
        if len(self._young) >= self._size:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def get(self, key: bytes) -> Value | None:
        """Return the value of a key, unless it is unknown or forgotten."""
        found = self._young.get(key)
        return self._old.get(key) if found is None else found

    def pop(self, key: bytes) -> Value | None:
        """Return the value of a key as `get` does, and forget it."""
        found = self._young.pop(key, None)
        older = self._old.pop(key, None)
        return older if found is None else found

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
