"""The time that all processes share: Redis's, so that a minute is the same for machines whose clocks are not."""

import time
from collections.abc import Callable


class SharedClock:
    """Goes on from the time that was told last, whatever is done to this machine's clock meanwhile.

    Args:
        instead: seconds since the epoch, in the place of all that.
    """

    __slots__ = ("_instead", "_offset")

    def __init__(self, instead: Callable[[], float] | None = None) -> None:
        self._instead = instead
        self._offset = time.time() - time.monotonic()

    @property
    def is_shared(self) -> bool:
        """Whether it is Redis's."""
        return self._instead is None

    def set(self, told: float, at: float) -> None:
        """Go by another's time.

        Args:
            told: seconds since the epoch.
            at: when it was heard, by `time.monotonic`.
        """
        self._offset = told - at

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.monotonic() + self._offset if self._instead is None else self._instead()
