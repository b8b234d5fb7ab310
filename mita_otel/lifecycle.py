"""The end of a process: signals, fork, and one deadline for everything that must still be delivered."""

import atexit
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from types import FrameType
from typing import Final

_logger: Final = logging.getLogger("mita_otel.lifecycle")

Closing = Callable[[float], object]
"""Delivers what is left of one signal and stops; takes the seconds it may spend."""

_SIGNALS: Final = (signal.SIGTERM,)
"""SIGINT is not here: Python's own handler raises KeyboardInterrupt, and the interpreter then exits in order."""


class _Parked:
    """A thread that waits for the end of the process, because Python 3.12 and later start none while exiting.

    Released by a queue and awaited by joining: both may be interrupted by a signal handler that does the same, where an
    `Event` would wait for its own lock.
    """

    __slots__ = ("_closing", "_go", "_thread")

    def __init__(self, name: str, closing: Closing) -> None:
        self._closing = closing
        self._go: SimpleQueue[float] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"mita-close-{name}", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        budget = self._go.get()
        try:
            self._closing(budget)
        except Exception as error:  # noqa: BLE001 - the room's door: the others must still be closed
            _logger.warning("%s: closing failed: %r", self._thread.name, error)

    def release(self, budget: float) -> None:
        self._go.put(budget)

    def join(self, timeout: float) -> bool:
        self._thread.join(max(0.0, timeout))
        return not self._thread.is_alive()


class Exit:
    """Closes every signal at once, in parallel, within one deadline; once in a process.

    Args:
        closings: what to close, by name.
        timeout: seconds for all of them together.
    """

    __slots__ = ("_closings", "_deadline", "_once", "_parked", "_timeout")

    def __init__(self, closings: Sequence[tuple[str, Closing]], timeout: float) -> None:
        self._closings = tuple(closings)
        self._timeout = timeout
        self._once = threading.Lock()
        self._deadline = 0.0
        self._parked = self._park()

    def _park(self) -> list[_Parked]:
        return [_Parked(name, closing) for name, closing in self._closings]

    def close(self) -> bool:
        """Close everything; return whether all of it ended within the deadline.

        A second call, such as a signal's while the interpreter exits, waits for the first one's deadline.
        """
        # Taken once and never given back: a handler that interrupts this very line must not wait for it.
        if self._once.acquire(blocking=False):
            self._deadline = time.monotonic() + self._timeout
            for parked in self._parked:
                parked.release(self._timeout)
        # Every one is waited for, also after one that was late.
        ended = [parked.join(self._deadline - time.monotonic()) for parked in self._parked]
        return all(ended)

    def register(self) -> None:
        """Close at interpreter exit and at SIGTERM, in this process and in the children it forks."""
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._after_fork)
        self.guard_signals()

    def _after_fork(self) -> None:
        self._once = threading.Lock()
        self._deadline = 0.0
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
