"""The demonstration's one folder: where it is, who uses it, and what an earlier run left there."""

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mita_otel.stack import process
from mita_otel.stack.databases import postgres_reaches

_PROCESSES: Final = "processes.json"
_LOCK: Final = "lock"


class DemoError(RuntimeError):
    """The demonstration cannot go on; the message says what to do."""


@contextmanager
def choose_folder(given: Path | None, preferred: Path) -> Iterator[Path]:
    """Hand out the folder to use: the given one, or the preferred one, or a temporary one that goes with the block.

    Args:
        given: what the user asked for; used, or refused with the reason.
        preferred: kept between two runs, which makes the second one quick.

    Raises:
        DemoError: the given folder cannot be written to, or PostgreSQL cannot reach it.
    """
    if given is not None:
        problem = _problem(given)
        if problem:
            raise DemoError(f"--folder {given}: {problem}; name another")
        yield given.absolute()
    elif _problem(preferred) is None:
        yield preferred.absolute()
    else:
        folder = Path(tempfile.mkdtemp(prefix="mita-otel-demo-"))
        try:
            folder.chmod(0o755)  # PostgreSQL, which does not run as root, passes through it
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _problem(folder: Path) -> str | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return f"cannot be written to ({error.strerror})"
    return None if postgres_reaches(folder) else "PostgreSQL, which does not run as root, cannot reach it"


@contextmanager
def only_demo(folder: Path) -> Iterator[None]:
    """Keep a second demonstration out of the folder, and end what a killed one left running there.

    Raises:
        DemoError: a demonstration is running there; the message tells its process.
    """
    with (folder / _LOCK).open("a+") as handle:
        try:
            # The kernel frees it when this process ends, however it ends.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            who = handle.read().strip() or "of unknown number"
            raise DemoError(
                f"a demonstration runs in {folder} already, as process {who}: end it with Ctrl-C (or `kill {who}`), "
                "or name another --folder"
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        _end_leftovers(folder)
        yield


def remember(folder: Path, children: list[process.Running]) -> None:
    """Write down the processes that run here, for the next run to end if this one cannot."""
    rows = [{"pid": child.pid, "began": child.began} for child in children]
    (folder / _PROCESSES).write_text(json.dumps(rows))


def _end_leftovers(folder: Path) -> None:
    try:
        rows = json.loads((folder / _PROCESSES).read_text())
        children = [process.Running(row["pid"], row["began"]) for row in rows]
    except (OSError, ValueError, TypeError, KeyError):
        return
    for child in children:
        process.kill(child)
