"""What waits on this machine's disk for the database: for `mita-otel audit spool`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from mita_otel.logs.audit.journal import DAMAGED, decode, is_held, segments

State: TypeAlias = Literal["in use", "left behind", "damaged"]

_SUFFIX_OF_DATABASE: Final = "-"


@dataclass(frozen=True, slots=True)
class Spooled:
    """One journal.

    Attributes:
        service: whose.
        chain: which process's.
        state: `in use` by a process that lives; `left behind`, until a process of the service starts or looks; or
            `damaged`, and kept for people.
        events: in its files; of a journal in use some of them may be in the database already.
        size: of its files, in bytes.
        path: its folder.
    """

    service: str
    chain: str
    state: State
    events: int
    size: int
    path: str


def journals(root: Path) -> list[Spooled]:
    """Return every journal below the folder of all services.

    Raises:
        OSError: it may not be read.
    """
    if not root.exists():
        return []
    return [
        _spooled(service, folder)
        for service in sorted(path for path in root.iterdir() if path.is_dir())
        for folder in sorted(path for path in service.iterdir() if path.is_dir())
    ]


def _spooled(service: Path, folder: Path) -> Spooled:
    files = segments(folder)
    events = size = 0
    for file in files:
        with file.open("rb") as lines:
            for line in lines:
                size += len(line)
                events += decode(line) is not None
    is_damaged = folder.suffix == DAMAGED
    state: State = "damaged" if is_damaged else "in use" if is_held(folder) else "left behind"
    name = service.name.rpartition(_SUFFIX_OF_DATABASE)[0]
    return Spooled(name, folder.name.removesuffix(DAMAGED), state, events, size, str(folder))
