"""An instrumentation that is done once, until it is taken back."""

from collections.abc import Callable

from mita_otel.libraries.model import Instrumented, Telemetry


class Once:
    """Decorates the function that instruments a library: a second call changes nothing and returns what the first did.

    Args:
        instrument: does the work.
    """

    __slots__ = ("_instrument", "_made", "_undo")

    def __init__(self, instrument: Callable[[Telemetry], Instrumented]) -> None:
        self._instrument = instrument
        self._made: Instrumented | None = None
        self._undo: Callable[[], None] | None = None

    def __call__(self, telemetry: Telemetry) -> Instrumented:
        """Instrument the library unless it is instrumented."""
        if self._made is None:
            made = self._instrument(telemetry)
            self._undo, self._made = made.undo, made._replace(undo=self.undo)
        return self._made

    def undo(self) -> None:
        """Take the instrumentation back, if there is one."""
        undo, self._undo, self._made = self._undo, None, None
        if undo is not None:
            undo()
