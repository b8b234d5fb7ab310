"""Room on the disk that is held back for the day when it is full."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_SIZE: Final = 8 * 1024 * 1024


class Reserve:
    """A file without meaning: deleting what is stored takes room first, which a full disk does not have."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def hold(self) -> None:
        """Take the room, if there is as much."""
        with suppress(OSError), self._path.open("wb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, _SIZE)
            except OSError:
                file.truncate(0)

    def release(self) -> None:
        """Give the room back."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
