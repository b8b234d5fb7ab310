"""What makes two errors the same: where the root cause was raised in the application's own code, and its type.

Line numbers, messages and library frames are left out: an edit above, another order id or a new release of a library
must not make a new group.

Source: Sentry's order of grouping (stack trace in the application, then type and message).
"""

import hashlib
import re
import sysconfig
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Final

FRAMES: Final = 5
"""Innermost frames of the application that count: callers further out are shared by many errors."""

MOST_CAUSES: Final = 50
"""Links of a chain of causes that are followed; chains may be rings."""

MOST_FRAMES: Final = 1000
"""Frames of one traceback that are read: as many as the interpreter's recursion limit allows by default."""

LONGEST_MESSAGE: Final = 500
"""Characters of a message that are compared."""

_LIBRARIES: Final = tuple(
    {path for name in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))}
)
_VARIABLE: Final = (
    (r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", "<uuid>"),
    (r"[^\s@]{1,64}@[^\s@]{1,255}", "<email>"),
    (r"'[^']*'|\"[^\"]*\"", "<text>"),
    (r"\b(?:0x)?(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b", "<hex>"),
    (r"\d+", "<n>"),
)

Frame = tuple[str, str]
"""Module and qualified name of a function."""


def is_own(filename: str, module: str) -> bool:
    """Say whether a frame is the application's: neither the standard library's, nor a package's, nor ours."""
    return not (
        filename.startswith(("<", *_LIBRARIES))
        or "site-packages" in filename
        or module.partition(".")[0] == "mita_otel"
    )


def fingerprint(error: BaseException, own: Callable[[str, str], bool] = is_own) -> str:
    """Return 16 hexadecimal digits that errors of one origin share; never raises.

    Args:
        error: as it was caught.
        own: says by file and module which frames are the application's.
    """
    cause = root_cause(error)
    kind = type(cause)
    name = f"{kind.__module__}.{kind.__qualname__}"
    frames = (
        list(own_frames(cause.__traceback__, own))[-FRAMES:] or list(own_frames(error.__traceback__, own))[-FRAMES:]
    )
    parts = [name, *(f"{module}:{function}" for module, function in frames)] if frames else [name, normalised(cause)]
    return hashlib.blake2b("\n".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def root_cause(error: BaseException) -> BaseException:
    """Return what an error goes back to: through `raise ... from` and the first of a group."""
    seen: set[int] = set()
    while len(seen) < MOST_CAUSES and id(error) not in seen:
        seen.add(id(error))
        if error.__cause__ is not None:
            error = error.__cause__
        elif isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            break
    return error


def own_frames(traceback: TracebackType | None, own: Callable[[str, str], bool]) -> Iterator[Frame]:
    """Yield the application's frames of a traceback, outermost first."""
    for _ in range(MOST_FRAMES):
        if traceback is None:
            return
        code, module = traceback.tb_frame.f_code, str(traceback.tb_frame.f_globals.get("__name__", ""))
        if own(code.co_filename, module):
            yield module, code.co_qualname
        traceback = traceback.tb_next


def normalised(error: BaseException) -> str:
    """Return an error's message without what differs from one time to the next."""
    try:
        message = str(error)[:LONGEST_MESSAGE]
    except Exception:  # noqa: BLE001 - a message can be as broken as what it tells of
        return "<no message>"
    for pattern, word in _VARIABLE:
        message = re.sub(pattern, word, message)
    return message
