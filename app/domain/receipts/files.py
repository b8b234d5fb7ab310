"""Files: told apart by their content, checked, and read as far as they hold text. Nothing in them is believed."""

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from enum import StrEnum

LARGEST_TEXT = 64 * 1024
"""Bytes of text: a receipt of a thousand lines."""

LARGEST_UNPACKED = 256 * 1024
"""Bytes that all streams of a document are unpacked to: the text, and how it is laid out."""

MOST_PARTS = 10_000
"""Chunks, segments or streams of a file: a photograph has dozens."""

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
PDF = b"%PDF-"

LARGEST_SIDE = 20_000
"""Pixels: above every camera."""


class FileKind(StrEnum):
    """Kinds of files that are read."""

    PNG = "png"
    JPEG = "jpeg"
    PDF = "pdf"


class UnreadableError(ValueError):
    """The file is damaged, or there is nothing in it; the message may be told to its owner."""


def kind_of(content: bytes) -> FileKind | None:
    """Return what a file is by its first bytes, whatever its name says; None if it is none of ours."""
    beginnings = {PNG: FileKind.PNG, JPEG: FileKind.JPEG, PDF: FileKind.PDF}
    return next((kind for beginning, kind in beginnings.items() if content.startswith(beginning)), None)


def text_of(content: bytes, kind: FileKind) -> str:
    """Return the text that a file carries, at most 64 KiB of it.

    Raises:
        UnreadableError: the file is damaged.
    """
    read: dict[FileKind, Callable[[bytes], Iterator[bytes]]] = {
        FileKind.PNG: _png_texts,
        FileKind.JPEG: _jpeg_texts,
        FileKind.PDF: _pdf_texts,
    }
    text = b"\n".join(_bounded(read[kind](content)))
    return text[:LARGEST_TEXT].decode("utf-8", "replace").replace("\x00", "")


def _bounded(texts: Iterator[bytes]) -> Iterator[bytes]:
    """Pass on texts until there is enough; the rest of the file is still checked."""
    left = LARGEST_TEXT
    for text in texts:
        if left > 0:
            yield text
            left -= len(text)


def _png_texts(content: bytes) -> Iterator[bytes]:
    """Yield the tEXt chunks of a PNG. Source: https://www.w3.org/TR/png-3/#5DataRep."""
    at, kind = len(PNG), b""
    for number in range(MOST_PARTS):
        if at + 12 > len(content):
            raise UnreadableError("the picture is cut off")
        length, kind = struct.unpack_from(">I4s", content, at)
        data = content[at + 8 : at + 8 + length]
        if len(data) != length or at + 12 + length > len(content):
            raise UnreadableError("the picture is cut off")
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        if zlib.crc32(kind + data) != checksum:
            raise UnreadableError("the picture is damaged")
        if number == 0:
            _check_header(kind, data)
        if kind == b"tEXt":
            yield data.partition(b"\x00")[2]
        if kind == b"IEND":
            return
        at += 12 + length
    raise UnreadableError("the picture has too many parts")


def _check_header(kind: bytes, data: bytes) -> None:
    if kind != b"IHDR" or len(data) != 13:  # noqa: PLR2004 - the format's own number
        raise UnreadableError("the picture has no header")
    width, height = struct.unpack_from(">II", data)
    if not (0 < width <= LARGEST_SIDE and 0 < height <= LARGEST_SIDE):
        raise UnreadableError("the picture has impossible sides")


def _jpeg_texts(content: bytes) -> Iterator[bytes]:
    """Yield the comments of a JPEG. Source: ITU-T T.81, annex B."""
    at = 2
    for _ in range(MOST_PARTS):
        marker = content[at : at + 2]
        if len(marker) < 2 or marker[0] != 0xFF:  # noqa: PLR2004 - the format's own numbers
            raise UnreadableError("the picture is damaged")
        if marker[1] == 0xDA:  # noqa: PLR2004 - start of scan: from here on there are pixels
            if content.rfind(b"\xff\xd9") < at:
                raise UnreadableError("the picture is cut off")
            return
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        data = content[at + 4 : at + 2 + length]
        if length < 2 or len(data) != length - 2:  # noqa: PLR2004 - the length counts itself
            raise UnreadableError("the picture is cut off")
        if marker[1] == 0xFE:  # noqa: PLR2004 - comment
            yield data
        at += 2 + length
    raise UnreadableError("the picture has too many parts")


_STREAM = re.compile(rb"stream\r?\n")
# A string is consumed whether it is shown or not, so that no byte is looked at twice.
_STRING = re.compile(rb"\(((?:[^()\\]|\\.)*+)(\)\s{0,8}+(?:Tj|'))?+", re.DOTALL)


def _pdf_texts(content: bytes) -> Iterator[bytes]:
    """Yield the strings that a PDF's content streams show. Source: ISO 32000-1, 7.3.8 and 9.4.3."""
    if content.rfind(b"%%EOF") < 0:
        raise UnreadableError("the document is cut off")
    left, at = LARGEST_UNPACKED, 0
    while (match := _STREAM.search(content, at)) is not None:
        end = content.find(b"endstream", match.end())
        if end < 0:
            raise UnreadableError("the document is cut off")
        unpacked = _unpacked(content[match.end() : end], left)
        left -= len(unpacked)
        for string in _STRING.finditer(unpacked):
            if string.group(2):
                yield re.sub(rb"\\(.)", rb"\1", string.group(1))
        at = end + len(b"endstream")


def _unpacked(stream: bytes, left: int) -> bytes:
    """Return a stream's beginning, unpacked if it is packed, however much it would become."""
    if left <= 0:
        return b""
    try:
        return zlib.decompressobj().decompress(stream, left)
    except zlib.error:
        return stream[:left]
