"""Makes receipts: small files of each kind that carry a text."""

import struct
import zlib

TEXT = "CORNER BAKERY\n2026-05-01\nbread 3.20\nSUBTOTAL 3.20\nTOTAL EUR 12.50\nthank you"


def png(text: str = TEXT, side: int = 8) -> bytes:
    pixels = zlib.compress(b"".join(b"\x00" + b"\xff" * side for _ in range(side)))
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [
        (b"IHDR", header),
        (b"tEXt", b"Comment\x00" + text.encode()),
        (b"IDAT", pixels),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(png_chunk, *zip(*chunks, strict=True)))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(text: str = TEXT) -> bytes:
    comment = text.encode()
    segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
    return b"\xff\xd8\xff\xe0\x00\x04\x00\x00" + segment + b"\xff\xda\x00\x02" + b"\x00" * 16 + b"\xff\xd9"


def pdf(text: str = TEXT, *, packed: bool = True) -> bytes:
    shown = "\n".join(f"({line}) Tj" for line in text.splitlines()).encode()
    stream = zlib.compress(shown) if packed else shown
    return b"%PDF-1.4\n1 0 obj\n<< >>\nstream\n" + stream + b"\nendstream\nendobj\n%%EOF\n"
