"""Keys as they are stored: short, and those of a cache apart from those of others."""

import hashlib
import re
from typing import Final

LONGEST: Final = 200
"""Bytes of a key that is stored as it is; of a longer one its digest is."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]{0,62}", re.ASCII)
_DIGEST: Final = "#"
"""Begins a digest, and so no other key."""


def checked_name(name: str) -> str:
    """Return the name of a cache, which becomes an attribute of metrics and the beginning of its keys.

    Raises:
        ValueError: it is none; the message says what is allowed.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name of a cache: a lower-case letter, then at most 62 more, digits, '_', '.' and '-'"
        )
    return name


def stored_key(cache: str, key: str) -> bytes:
    """Return the key under which a cache keeps something; any text will do, of any length.

    Two texts share a key only if their 128-bit digests are the same.

    Raises:
        TypeError: the key is no text.
    """
    if not isinstance(key, str):
        raise TypeError(f"a key is a text, not {type(key).__name__}: format it, for example as str(key)")
    # A lone half of a surrogate pair is no UTF-8, but tells one key from another.
    encoded = key.encode("utf-8", "surrogatepass")
    if len(encoded) > LONGEST or key.startswith(_DIGEST):
        encoded = (_DIGEST + hashlib.blake2b(encoded, digest_size=16).hexdigest()).encode()
    return f"{cache}:".encode() + encoded
