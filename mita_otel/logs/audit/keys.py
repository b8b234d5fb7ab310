"""The keys that chains are hashed with: the newest one seals, older ones are kept to verify."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mita_otel.logs.audit.model import AuditError

UNKEYED: Final = "none"
"""The id in the place of a key's where there is none: a plain SHA-256, which whoever may write may forge."""

_LINE: Final = re.compile(r"([A-Za-z0-9._-]{1,32}):([!-~]{32,512})")


@dataclass(frozen=True, slots=True)
class Key:
    """A key with its id, which each record names; without a secret it hashes without a key."""

    id: str = UNKEYED
    secret: bytes = field(default=b"", repr=False)

    def digest(self, *parts: bytes) -> str:
        """Return the HMAC-SHA256 of the parts, in hexadecimal."""
        if not self.secret:
            return hashlib.sha256(b"".join(parts)).hexdigest()
        return hmac.digest(self.secret, b"".join(parts), "sha256").hex()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Every key of a service.

    Attributes:
        current: seals what is recorded now.
        known: all of them by their id, the current one included.
    """

    current: Key = field(default_factory=Key)
    known: Mapping[str, Key] = field(default_factory=lambda: {UNKEYED: Key()})

    @property
    def is_keyed(self) -> bool:
        """Whether what is recorded now is sealed by a secret."""
        return bool(self.current.secret)


def read_keys(text: str | None) -> KeyRing:
    """Read `id:secret` keys, separated by commas or line breaks, the current one first.

    A ring that has keys does not accept records without one: else an attacker would take the key off what they forge.

    Raises:
        AuditError: one is malformed, or an id is there twice; no secret is repeated in the message.
    """
    lines = [line.strip() for line in re.split(r"[,\n]", text or "") if line.strip()]
    if not lines:
        return KeyRing()
    keys: list[Key] = []
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None or match[1] == UNKEYED:
            raise AuditError(
                f"audit key {number} is not allowed: it takes id:secret, with 1 to 32 letters, digits, '.', '_' or '-' "
                "and a secret of 32 to 512 printable ASCII characters without spaces and commas"
            )
        keys.append(Key(match[1], match[2].encode()))
    known = {key.id: key for key in keys}
    if len(known) < len(keys):
        raise AuditError("audit keys are not allowed: an id is there twice; each key needs its own")
    return KeyRing(keys[0], known)
