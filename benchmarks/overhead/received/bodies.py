"""The bodies that the sink kept, taken apart again."""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Body:
    """One request to the sink: its path, and its body without compression."""

    path: str
    data: bytes


def bodies(taken: bytes) -> Iterator[Body]:
    """Yield what the sink handed over at `/taken`.

    Raises:
        ValueError: it is cut, or compressed in an unknown way.
    """
    place = 0
    while place < len(taken):
        end = taken.index(b"\n", place)
        head = json.loads(taken[place:end])
        place = end + 1 + head["size"]
        if place > len(taken):
            raise ValueError(f"{place - len(taken)} bytes of a body are missing")
        yield Body(head["path"], _plain(taken[end + 1 : place], head["encoding"]))


def _plain(data: bytes, encoding: str) -> bytes:
    match encoding:
        case "":
            return data
        case "gzip":
            return gzip.decompress(data)
        case "deflate":
            return zlib.decompress(data)
        case _:
            raise ValueError(f"the sink cannot read content-encoding {encoding!r}")
