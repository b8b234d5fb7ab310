"""One module a library: which path instruments it, and the version it holds for."""

import logging
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Final

import wrapt

from mita_otel.libraries.deferred import defer_command_line
from mita_otel.libraries.faults import swallowed
from mita_otel.libraries.model import Instrumented, Telemetry
from mita_otel.web.administration import Examine

__all__ = ["INSTRUMENTORS", "Examine", "Instrumented", "Libraries", "Telemetry"]

INSTRUMENTORS: Final = {
    "fastapi": "fastapi",
    "sqlalchemy": "sqlalchemy",
    "asyncpg": "asyncpg",
    "redis": "redis",
    "httpx": "httpx",
}
"""The libraries we instrument ourselves, and the import that triggers it."""

CONTRIB_NAMES: Final = (*INSTRUMENTORS, "logging", "system_metrics", "starlette", "asgi")
"""Names of contrib's entry points that would do the same work a second time."""

_logger: Final = logging.getLogger("mita_otel.libraries")


class Libraries:
    """Instruments each library when the application imports it, and remembers how.

    A library that is never imported costs nothing; one that is absent is no error.

    Args:
        telemetry: the providers and settings.
        disabled: names from `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`; `*` stands for all.
        strict: whether a failed instrumentation is raised to the import instead of logged.
    """

    __slots__ = ("_disabled", "_strict", "_telemetry", "failed", "instrumented")

    def __init__(self, telemetry: Telemetry, *, disabled: Iterable[str], strict: bool) -> None:
        self._telemetry = telemetry
        self._disabled = frozenset(disabled)
        self._strict = strict
        self.instrumented: dict[str, Instrumented] = {}
        self.failed: dict[str, str] = {}

    def register(self, guard_signals: Callable[[], None]) -> None:
        """Wait for the imports of every library that is not disabled, and of the server, which cannot be.

        Args:
            guard_signals: called before a server takes over the signals.
        """
        defer_command_line()
        self.when_imported("uvicorn.server", "uvicorn", lambda _: self._uvicorn(guard_signals))
        for library, module in INSTRUMENTORS.items():
            if not self._disabled & {"*", library}:
                self.when_imported(module, library, self._instrument)

    def when_imported(self, module: str, library: str, instrument: Callable[[str], Instrumented]) -> None:
        """Call `instrument(library)` when `module` is imported, or at once if it has been."""

        def hook(_: object) -> None:
            if library in self.instrumented:
                return
            try:
                self.instrumented[library] = instrument(library)
            except Exception as error:
                swallowed[library] += 1
                self.failed[library] = f"{type(error).__name__}: {error}"
                _logger.exception("%s runs without telemetry", library)
                if self._strict:
                    raise

        wrapt.register_post_import_hook(hook, module)

    def _instrument(self, library: str) -> Instrumented:
        instrument: Callable[[Telemetry], Instrumented] = import_module(f"mita_otel.libraries.{library}").instrument
        return instrument(self._telemetry)

    def _uvicorn(self, guard_signals: Callable[[], None]) -> Instrumented:
        from mita_otel.libraries import uvicorn  # noqa: PLC0415 - uvicorn is imported only where the application does

        return uvicorn.instrument(guard_signals, freezes=self._telemetry.settings.gc_freeze)

    def undo(self) -> None:
        """Take every instrumentation back."""
        while self.instrumented:
            _, instrumented = self.instrumented.popitem()
            instrumented.undo()
