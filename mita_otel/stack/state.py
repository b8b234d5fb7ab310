"""What a stack remembers between two commands: its ports and its processes, in one JSON file."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from mita_otel.stack.model import NAMES, Name
from mita_otel.stack.ports import Ports
from mita_otel.stack.process import Running

_FILE: Final = "state.json"


@dataclass(slots=True)
class Remembered:
    """The content of the state file."""

    ports: Ports
    overlays: tuple[str, ...] = ()
    processes: dict[Name, Running] = field(default_factory=dict)
    receivers: str | None = None


def load(folder: Path) -> Remembered | None:
    """Return what an earlier command left, or None if there is nothing, or nothing that can be read."""
    try:
        content = json.loads((folder / _FILE).read_text())
        return Remembered(
            ports=Ports(**content["ports"]),
            overlays=tuple(content["overlays"]),
            receivers=content.get("receivers"),
            processes={name: Running(**content["processes"][name]) for name in NAMES if name in content["processes"]},
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def save(folder: Path, remembered: Remembered) -> None:
    """Replace the state file in one step, so that a crash leaves the old one or the new one."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{_FILE}.new"
    draft.write_text(json.dumps(asdict(remembered), indent=2) + "\n")
    draft.replace(folder / _FILE)


@contextmanager
def exclusive(path: Path, *, waiting: object = None) -> Iterator[None]:
    """Hold a lock file; the operating system frees it when the process ends, however it ends.

    Args:
        path: the lock file.
        waiting: called once, without arguments, if somebody else holds the lock.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if callable(waiting):
                waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
