"""`os._exit`, by which forked workers leave, gives lines that were logged before it their moment."""

import os
from collections.abc import Callable
from typing import Any, Final

import wrapt

from mita_otel.logs.backlog import Backlog

MOMENT: Final = 1.0
"""Seconds."""


def last_words(backlog: Backlog[Any]) -> Callable[[], None]:
    """Write what was logged before `os._exit` ends the process; return what takes that back.

    No exit handler runs there, and multiprocessing's and other forked workers end so as a rule. A process that is
    killed, or that calls the C library's `_exit`, loses the records of its last moments.
    """
    original = os._exit

    def leave(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            backlog.flush(MOMENT)
        finally:
            wrapped(*args, **kwargs)

    wrapper = wrapt.FunctionWrapper(original, leave)
    os._exit = wrapper

    def undo() -> None:
        if os._exit is wrapper:
            os._exit = original

    return undo
