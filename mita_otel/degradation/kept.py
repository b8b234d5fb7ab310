"""Answers of better days: kept when there is one, given when there is none, and only while they are not too old.

Source: RFC 5861, section 4, stale-if-error.
"""

import json
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

ENTRIES_AT_MOST: Final = 1000
"""Answers that a process keeps by itself; the ones that were not asked for longest make room."""


class Store(Protocol):
    """Keeps texts for a while: a cache of the application's own, shared by its processes or not."""

    async def get(self, key: str) -> str | None:
        """Return what is kept, or None."""

    async def set(self, key: str, value: str, seconds: int) -> None:
        """Keep a value for some seconds."""


class MemoryStore:
    """Keeps texts in this process: the last 1,000."""

    __slots__ = ("_clock", "_kept")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[str, tuple[str, float]] = OrderedDict()

    async def get(self, key: str) -> str | None:
        """Return what is kept, or None."""
        value, until = self._kept.get(key, ("", 0.0))
        if until <= self._clock():
            return None
        self._kept.move_to_end(key)
        return value

    async def set(self, key: str, value: str, seconds: int) -> None:
        """Keep a value for some seconds."""
        self._kept[key] = (value, self._clock() + seconds)
        self._kept.move_to_end(key)
        if len(self._kept) > ENTRIES_AT_MOST:
            self._kept.popitem(last=False)


class Kept(NamedTuple, Generic[T]):
    """An answer of better days, and how many seconds old it is."""

    value: T
    age: float


class Answers(Generic[T]):
    """The answers of one feature.

    Args:
        store: where they are kept.
        feature: its name, which is part of every key.
        type_: of the answers: whatever pydantic can write as JSON and read again.
        max_age: seconds after which an answer is of no use; 1 and above.
        clock: seconds since the epoch.
    """

    __slots__ = ("_adapter", "_clock", "_feature", "_store", "max_age")

    def __init__(
        self, store: Store, feature: str, type_: Any, max_age: int, clock: Callable[[], float] = time.time
    ) -> None:
        if max_age < 1:
            raise ValueError(f"max_age={max_age!r} is not allowed: it takes seconds, 1 and above")
        self._store = store
        self._feature = feature
        self._adapter: TypeAdapter[T] = TypeAdapter(type_)
        self.max_age = max_age
        self._clock = clock

    async def keep(self, key: str, value: T) -> None:
        """Keep an answer; a store that fails keeps nothing, and that is all."""
        try:
            content = self._adapter.dump_python(value, mode="json")
            await self._store.set(self._key(key), json.dumps({"at": self._clock(), "value": content}), self.max_age)
        except Exception:  # noqa: BLE001, S110 - the answer itself is there, and a worse day may never come
            pass

    async def find(self, key: str) -> Kept[T] | None:
        """Return the answer that is kept; None if there is none, it is too old, or it cannot be read."""
        try:
            text = await self._store.get(self._key(key))
            if text is None:
                return None
            content = json.loads(text)
            age = self._clock() - float(content["at"])
            # A clock that was put back makes answers look younger than none.
            return Kept(self._adapter.validate_python(content["value"]), max(age, 0.0)) if age <= self.max_age else None
        except Exception:  # noqa: BLE001 - whatever is wrong with it, there is none
            return None

    def _key(self, key: str) -> str:
        return f"degradation:{self._feature}:{key}"
