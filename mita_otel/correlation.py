"""The correlation id of the request being served: validated, created, carried in a context variable."""

import os
import re
from contextvars import ContextVar
from random import Random
from typing import Final

HEADER: Final = "x-correlation-id"
"""The request and response header, in the lower case of ASGI and HTTP/2."""

ATTRIBUTE: Final = "correlation_id"
"""Name of the span attribute and of the log field."""

MAX_LENGTH: Final = 128
"""Longest id accepted from a caller: room for a UUID, a ULID or a prefixed id, and no more."""

_VALID: Final = re.compile(rf"[A-Za-z0-9._~:-]{{1,{MAX_LENGTH}}}", re.ASCII)
# An id is no secret, so it costs no call of the system: 0.4 us instead of 2. The generator is seeded by the system, and
# anew after a fork; the application's seeding of `random` does not reach it.
_random: Final = Random()  # noqa: S311 - as above
os.register_at_fork(after_in_child=_random.seed)
_current: ContextVar[str | None] = ContextVar("mita_correlation_id", default=None)


# The variable's own methods, without a function around each: every request and every log line calls them.
current: Final = _current.get
"""Return the id of the request being served, or None outside one."""

bind: Final = _current.set
"""Make an id the current one; hand the token to `unbind`."""

unbind: Final = _current.reset
"""Restore what was current before `bind`."""


random_bits: Final = _random.getrandbits
"""Return a number of so many bits. Of 128 bits `create` makes an id."""


def create() -> str:
    """Return a new id of 32 hexadecimal digits."""
    # A third of the time that a format takes.
    return random_bits(128).to_bytes(16, "big").hex()


def accept(candidate: str | None) -> str:
    """Return the caller's id if it is valid, else a new one.

    Valid is 1 to 128 characters of letters, digits and `. _ ~ : -`: nothing that could break a log line, a header or a
    URL.
    """
    if candidate is not None and _VALID.fullmatch(candidate):
        return candidate
    return create()
