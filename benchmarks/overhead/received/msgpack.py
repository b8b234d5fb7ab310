"""Reads MessagePack, which Datadog's agent is sent. Source: https://github.com/msgpack/msgpack/blob/master/spec.md."""

import struct
from collections.abc import Callable
from typing import Any, Final

_NUMBERS: Final = {
    0xCA: ">f", 0xCB: ">d",
    0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_CONSTANTS: Final = {0xC0: None, 0xC2: False, 0xC3: True}
_LENGTHS: Final = {1: ">B", 2: ">H", 4: ">I"}
_FIXED_EXTENSIONS: Final = {0xD4: 1, 0xD5: 2, 0xD6: 4, 0xD7: 8, 0xD8: 16}


def unpack(data: bytes) -> Any:
    """Return the one value of a message; extensions become `(type, bytes)`, maps have any hashable keys.

    Raises:
        ValueError: the message is cut, goes on after its value, or holds a key or a byte that is not allowed.
    """
    reader = _Reader(data)
    value = reader.value()
    if reader.place != len(data):
        raise ValueError(f"{len(data) - reader.place} bytes follow the value")
    return value


class _Reader:
    """Reads one value after the other; `place` is where the next begins."""

    __slots__ = ("_data", "place")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.place = 0

    def value(self) -> Any:
        code = self._take(1)[0]
        if code <= 0x7F:  # noqa: PLR2004 - here and below: the format's own codes
            return code
        if code >= 0xE0:  # noqa: PLR2004
            return code - 0x100
        for first, last, read in (
            (0x80, 0x8F, self._map),
            (0x90, 0x9F, self._array),
            (0xA0, 0xBF, self._text),
        ):
            if first <= code <= last:
                return read(code - first)
        return self._long(code)

    def _long(self, code: int) -> Any:
        if code in _CONSTANTS:
            return _CONSTANTS[code]
        if form := _NUMBERS.get(code):
            return self._number(form)
        if code in _FIXED_EXTENSIONS:
            return self._extension(_FIXED_EXTENSIONS[code])
        families: tuple[tuple[int, tuple[int, ...], Callable[[int], Any]], ...] = (
            (0xC4, (1, 2, 4), self._take),
            (0xC7, (1, 2, 4), self._extension),
            (0xD9, (1, 2, 4), self._text),
            (0xDC, (2, 4), self._array),
            (0xDE, (2, 4), self._map),
        )
        for first, widths, read in families:
            if first <= code < first + len(widths):
                return read(self._number(_LENGTHS[widths[code - first]]))
        raise ValueError(f"no value begins with {code:#x}")

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _take(self, size: int) -> bytes:
        end = self.place + size
        if end > len(self._data):
            raise ValueError("the message is cut")
        taken = self._data[self.place : end]
        self.place = end
        return taken

    def _text(self, size: int) -> str:
        return self._take(size).decode(errors="replace")

    def _array(self, size: int) -> list[Any]:
        return [self.value() for _ in range(size)]

    def _map(self, size: int) -> dict[Any, Any]:
        try:
            return {self.value(): self.value() for _ in range(size)}
        except TypeError as error:
            raise ValueError("the key of a map is no scalar") from error

    def _extension(self, size: int) -> tuple[int, bytes]:
        kind: int = self._number(">b")
        return kind, self._take(size)
