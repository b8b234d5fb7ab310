"""The part that costs a processor."""

import hashlib

from app.domain.receipts.draft import Draft, draft
from app.domain.receipts.files import FileKind, UnreadableError, text_of

WORK = 192 * 1024 * 1024
"""Bytes hashed for each file whatever its size: about a tenth of a second, as recognition of a page takes."""

PIECE = 1024 * 1024
"""Bytes hashed at a time: the interpreter is free for others meanwhile."""


def recognise(content: bytes, kind: FileKind) -> Draft:
    """Return what a receipt says; busy for about 50 to 500 ms, to be called off the event loop.

    Raises:
        UnreadableError: the file is damaged, or there is no total on it.
    """
    text = text_of(content, kind)
    _work(content)
    found = draft(text)
    if found is None:
        raise UnreadableError("no total was found on the receipt")
    return found


def _work(content: bytes) -> bytes:
    """Compute over the content, in pieces whose hashing leaves the interpreter to others."""
    piece = (content * (PIECE // max(len(content), 1) + 1))[:PIECE]
    features = hashlib.sha256()
    for _ in range(WORK // PIECE):
        features.update(piece)
    return features.digest()
