"""How long a caller will wait, as headers say it; what says nothing sensible says nothing.

Sources: gRPC over HTTP/2 (`grpc-timeout`: at most eight digits and a unit); Envoy, "HTTP header manipulation"
(`x-envoy-expected-rq-timeout-ms`: milliseconds). `x-request-timeout` has no specification: seconds with or without a
fraction, and with or without `s`, or milliseconds with `ms`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Final, NamedTuple

GRPC: Final = b"grpc-timeout"
ENVOY: Final = b"x-envoy-expected-rq-timeout-ms"
PLAIN: Final = b"x-request-timeout"

LONGEST: Final = 24
"""Bytes of a value; longer ones are not looked at."""

_GRPC_UNITS: Final = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_GRPC: Final = re.compile(rb"([0-9]{1,8})([HMSmun])")
_MILLISECONDS: Final = re.compile(rb"([0-9]{1,10})()")
_PLAIN: Final = re.compile(rb"([0-9]{1,9}(?:\.[0-9]{1,9})?)(s|ms)?")


def _reader(pattern: re.Pattern[bytes], units: Mapping[bytes, float]) -> Callable[[bytes], float | None]:
    def read(value: bytes) -> float | None:
        found = pattern.fullmatch(value.strip()) if len(value) <= LONGEST else None
        if found is None:
            return None
        seconds = float(found[1]) * units[found[2] or b""]
        return seconds if seconds > 0 else None

    return read


_READERS: Final[Mapping[bytes, Callable[[bytes], float | None]]] = {
    GRPC: _reader(_GRPC, _GRPC_UNITS),
    ENVOY: _reader(_MILLISECONDS, {b"": 1e-3}),
    PLAIN: _reader(_PLAIN, {b"": 1.0, b"s": 1.0, b"ms": 1e-3}),
}
NAMES: Final = tuple(name.decode() for name in _READERS)
"""The headers that are read."""


class Wish(NamedTuple):
    """What a caller asks for.

    Attributes:
        seconds: more than 0; `inf` if nothing was asked for.
        header: the one that says so; empty as above.
        malformed: headers whose values are none.
    """

    seconds: float = inf
    header: str = ""
    malformed: tuple[str, ...] = ()


NOTHING: Final = Wish()


def read(headers: Iterable[tuple[bytes, bytes]]) -> Wish:
    """Return the least that a request's headers ask for: names in small letters, as ASGI has them."""
    wish = NOTHING
    for name, value in headers:
        if name not in _READERS:
            continue
        seconds = _READERS[name](value)
        if seconds is None:
            wish = wish._replace(malformed=(*wish.malformed, name.decode()))
        elif seconds < wish.seconds:
            wish = wish._replace(seconds=seconds, header=name.decode())
    return wish


def written(seconds: float) -> dict[str, str]:
    """Return the headers that pass on what is left, rounded down to milliseconds and at least one."""
    milliseconds = max(1, int(seconds * 1000))
    return {PLAIN.decode(): f"{milliseconds / 1000:.3f}", ENVOY.decode(): str(milliseconds)}
