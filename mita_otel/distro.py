"""Entry points of `opentelemetry-instrument`; the work is done by `hook` and `bootstrap`."""

from typing import Any

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined] # has no type information

# The hook comes first: it loads the rest as a start needs it.
from mita_otel import hook
from mita_otel.bootstrap import check, claim, running

__all__ = ["MitaConfigurator", "MitaDistro", "check"]


class MitaDistro(BaseDistro):  # type: ignore[misc] # as above
    """The `mita` entry point of the group `opentelemetry_distro`."""

    def _configure(self, **_: Any) -> None:
        claim()

    def load_instrumentor(self, entry_point: Any, **kwargs: Any) -> None:
        """Instrument a library that this distribution has no module of its own for."""
        if running() is not None and not hook.is_absent(entry_point):
            super().load_instrumentor(entry_point, **kwargs)


class MitaConfigurator:
    """The `mita` entry point of the group `opentelemetry_configurator`."""

    def configure(self, **_: Any) -> None:
        """Start the three signals and instrument the libraries."""
        hook.start()
