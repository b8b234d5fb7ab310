"""The folder that the console writes to: given and kept, or temporary; one console at a time."""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mita_otel.console.options import ConsoleError

DATABASE: Final = "console.db"
RESERVE: Final = "reserve"
_LOCK: Final = "lock"


@contextmanager
def place(folder: Path | None) -> Iterator[Path]:
    """Yield the folder, which is the console's alone within the block; without one, a temporary folder.

    Raises:
        ConsoleError: it cannot be written, or another console uses it.
    """
    if folder is None:
        temporary = Path(tempfile.mkdtemp(prefix="mita-otel-console-"))
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (folder / _LOCK).open("wb")
    except OSError as error:
        raise ConsoleError(f"--folder {folder}: {error.strerror}; choose another") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConsoleError(f"--folder {folder}: another console uses it; end that, or choose another") from error
        yield folder
