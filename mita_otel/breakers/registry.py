"""The breakers of a process, by name."""

import re
import threading
from collections.abc import Iterator
from typing import Final, Protocol

from mita_otel.breakers.ledger import Ledger
from mita_otel.breakers.states import Override

BREAKERS_AT_MOST: Final = 64
"""Of one registry: a breaker is one for a dependency, never for a request, and each has dozens of series."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_.:-]{0,62}", re.ASCII)


class Registered(Protocol):
    """What a registry keeps: a breaker of ours, or one of another library that is only watched."""

    @property
    def ledger(self) -> Ledger:
        """What it has done."""

    def override(self, override: Override | None) -> None:
        """Put an operator's word in the place of its own judgement; None gives it back.

        Raises:
            NotImplementedError: it is another library's.
        """


class Registry:
    """Breakers by name; names are unique while their breakers are registered."""

    __slots__ = ("_breakers", "_lock")

    def __init__(self) -> None:
        self._breakers: dict[str, Registered] = {}
        self._lock = threading.Lock()

    def add(self, name: str, breaker: Registered) -> None:
        """Register a breaker.

        Raises:
            ValueError: the name is none, or another breaker's, or there are too many.
        """
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"name={name!r} is not allowed: a lower-case letter, then at most 62 more, digits, '_', '.', ':', '-'"
            )
        with self._lock:
            if name in self._breakers:
                raise ValueError(
                    f"name={name!r} is not allowed: there is a breaker of that name; close it, or share it"
                )
            if len(self._breakers) >= BREAKERS_AT_MOST:
                raise ValueError(
                    f"name={name!r} is not allowed: there are {BREAKERS_AT_MOST} breakers; one for each dependency"
                    " is enough, one for each request is a leak"
                )
            self._breakers[name] = breaker

    def remove(self, name: str, breaker: Registered) -> None:
        """Forget a breaker, if it is the one of that name."""
        with self._lock:
            if self._breakers.get(name) is breaker:
                del self._breakers[name]

    def get(self, name: str) -> Registered | None:
        """Return the breaker of a name, if there is one."""
        return self._breakers.get(name)

    def __iter__(self) -> Iterator[Registered]:
        return iter(list(self._breakers.values()))

    def __len__(self) -> int:
        return len(self._breakers)


REGISTRY: Final = Registry()
"""The breakers of this process, unless they are given another registry."""
