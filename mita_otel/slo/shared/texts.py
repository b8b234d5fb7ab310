"""How counts are written down in Redis: `name:good:bad`, divided by spaces, of the objectives that had events."""

import re
from array import array
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from mita_otel.slo.archive import Slice

_COUNT: Final = re.compile(r"([\w-]{8}):(\d{1,15}):(\d{1,15})", re.ASCII)
_SLICE: Final = re.compile(r"(\d{1,7})((?: [\w-]{8}:\d{1,15}:\d{1,15})*) ?", re.ASCII)
_REPLICA: Final = re.compile(r"(\d{1,2}) (\d{1,12}) ([01])(?: .*)?", re.ASCII)


def short(id: str) -> str:  # noqa: A002 - what it is called
    """Return the name of an objective there: 48 bits of a hash, which take a third of the room that ids do."""
    return urlsafe_b64encode(sha256(id.encode()).digest()[:6]).decode()


def written(cells: Sequence[int], names: Sequence[str]) -> str:
    """Return the text of some counts."""
    return " ".join(
        f"{name}:{cells[2 * index]}:{cells[2 * index + 1]}"
        for index, name in enumerate(names)
        if cells[2 * index] or cells[2 * index + 1]
    )


def read(text: str, places: Mapping[str, int], whole: int = 1) -> Slice | None:
    """Return what a text says of a slice; None where it says what cannot be.

    Args:
        text: how many there were of what it begins with, and counts; those of other objectives are left out.
        places: the objectives by their short names.
        whole: how many there are at most of what it begins with.
    """
    match = _SLICE.fullmatch(text)
    if match is None:
        return None
    cells = array("q", bytes(16 * len(places)))
    for name, good, bad in _COUNT.findall(match[2]):
        place = places.get(name)
        if place is not None:
            cells[2 * place], cells[2 * place + 1] = int(good), int(bad)
    return Slice(cells, min(int(match[1]) / whole, 1.0))


class Replica(NamedTuple):
    """What a process said last.

    Attributes:
        at: when, in seconds since the epoch.
        left: whether it was its last word.
    """

    at: int
    left: bool


def replicas(fields: Mapping[str, str]) -> Iterator[tuple[str, Replica]]:
    """Yield the processes of an hour."""
    for name, text in fields.items():
        if name.startswith("@") and (match := _REPLICA.fullmatch(text)):
            yield name, Replica(int(match[2]), match[3] == "1")
