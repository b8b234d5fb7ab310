"""A wake-up call that any thread, and a signal handler inside any thread, can ring."""

import queue


class Bell:
    """Rung by many, heard by one; ringing twice before it is heard is ringing once.

    `threading.Event` holds an ordinary lock while it is set: a signal handler that interrupts its own thread there and
    sets the event again waits for ever. `SimpleQueue.put` is documented as reentrant.
    """

    __slots__ = ("_calls", "_rung")

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._rung = False

    def ring(self) -> None:
        """Wake the listener, now or at its next `wait`."""
        if not self._rung:
            self._rung = True
            self._calls.put(None)

    def wait(self, timeout: float) -> bool:
        """Return True when rung, False after `timeout` seconds (0 and below: at once)."""
        try:
            self._calls.get(timeout=max(timeout, 0.0))
        except queue.Empty:
            return False
        self._rung = False
        return True
