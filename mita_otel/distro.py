"""Entry points of `opentelemetry-instrument`; the work is done by `bootstrap`."""

from importlib.util import find_spec
from typing import Any

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined] # has no type information

from mita_otel import heap, import_path

with heap.uncollected():
    from mita_otel import bootstrap


class MitaDistro(BaseDistro):  # type: ignore[misc] # as above
    """The `mita` entry point of the group `opentelemetry_distro`."""

    def _configure(self, **_: Any) -> None:
        bootstrap.claim()

    def load_instrumentor(self, entry_point: Any, **kwargs: Any) -> None:
        """Instrument a library that this distribution has no module of its own for."""
        # This one comes with contrib's httpx, whose import would load httpx into processes that do not use it.
        is_absent = entry_point.name == "httpx2" and find_spec("httpx2") is None
        if bootstrap.running() is not None and not is_absent:
            super().load_instrumentor(entry_point, **kwargs)


class MitaConfigurator:
    """The `mita` entry point of the group `opentelemetry_configurator`."""

    def configure(self, **_: Any) -> None:
        """Start the three signals and instrument the libraries."""
        with heap.uncollected():
            bootstrap.launch(examine)
        running = bootstrap.running()
        if running is None:
            return
        import_path.leave_launcher()
        if running.settings.gc_freeze:
            heap.freeze()


def examine(application: object) -> bytes:
    """Examine this process for `GET /_mita/doctor`."""
    from mita_otel.doctor import examine_service  # noqa: PLC0415 - no service needs it before it is asked for

    return examine_service(application)


def check() -> None:
    """Say loudly when another distribution or configurator won (entry point group `opentelemetry_pre_instrument`)."""
    bootstrap.check()
