"""The end of a process: signals, fork, and one deadline for everything that must still be delivered."""

import atexit
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

_logger: Final = logging.getLogger("mita_otel.lifecycle")

Closing = Callable[[float], object]
"""Delivers what is left of one signal and stops; takes the seconds it may spend."""

_SIGNALS: Final = (signal.SIGTERM,)
"""SIGINT is not here: Python's own handler raises KeyboardInterrupt, and the interpreter then exits in order."""


class _Parked:
    """A thread that waits for the end of the process, because Python 3.12 and later start none while exiting."""

    __slots__ = ("_budget", "_closing", "_done", "_go", "_thread")

    def __init__(self, name: str, closing: Closing) -> None:
        self._closing = closing
        self._budget = 0.0
        self._go = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"mita-close-{name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self._go.wait()
        try:
            self._closing(self._budget)
        except Exception as error:  # noqa: BLE001 - the room's door: the others must still be closed
            _logger.warning("%s: closing failed: %r", self._thread.name, error)
        finally:
            self._done.set()

    def release(self, budget: float) -> None:
        self._budget = budget
        self._go.set()

    def join(self, timeout: float) -> bool:
        return self._done.wait(max(0.0, timeout))


class Exit:
    """Closes every signal at once, in parallel, within one deadline; once in a process.

    Args:
        closings: what to close, by name.
        timeout: seconds for all of them together.
    """

    __slots__ = ("_closed", "_closings", "_lock", "_parked", "_timeout")

    def __init__(self, closings: Sequence[tuple[str, Closing]], timeout: float) -> None:
        self._closings = tuple(closings)
        self._timeout = timeout
        self._lock = threading.Lock()
        self._closed = False
        self._parked = self._park()

    def _park(self) -> list[_Parked]:
        return [_Parked(name, closing) for name, closing in self._closings]

    def close(self) -> bool:
        """Close everything; return whether all of it ended within the deadline."""
        with self._lock:
            if self._closed:
                return True
            self._closed = True
        deadline = time.monotonic() + self._timeout
        for parked in self._parked:
            parked.release(self._timeout)
        # Every one is waited for, also after one that was late.
        ended = [parked.join(deadline - time.monotonic()) for parked in self._parked]
        return all(ended)

    def register(self) -> None:
        """Close at interpreter exit and at SIGTERM, in this process and in the children it forks."""
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._after_fork)
        self.guard_signals()

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._parked = self._park()

    def guard_signals(self) -> None:
        """Take over the signals whose default is to kill the process at once; leave other handlers alone.

        Servers save what they find, serve, put it back and raise the signal again, so a handler that is in place before
        they start runs after their own graceful shutdown.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.close()
        # The parent must see the same exit status as without us.
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
