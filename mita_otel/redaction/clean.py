"""What was found to hold nothing sensitive: names, addresses, statements come back with every request."""

from collections.abc import Hashable
from typing import Final, TypeVar

_Item = TypeVar("_Item", bound=Hashable)

MOST_REMEMBERED: Final = 4_096
"""Items of one memory; it begins anew when it is full."""

LONGEST_REMEMBERED: Final = 1_024
"""Characters of an item; with the number of items, what bounds the memory."""


class Clean(set[_Item]):
    """A bounded memory; asking it is asking a set."""

    __slots__ = ()

    def remember(self, item: _Item, length: int) -> None:
        """Take in an item of so many characters, unless it is too long."""
        if length <= LONGEST_REMEMBERED:
            if len(self) >= MOST_REMEMBERED:
                self.clear()
            self.add(item)
