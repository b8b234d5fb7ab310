"""How telemetry starts in a process: what both launchers come to.

`opentelemetry-instrument` gets here by its own loader, which reads entry points for a distribution and a configurator
to choose. `mita-instrument` has chosen: it calls `initialize` itself where it runs the program; in a program that it
becomes, and in child processes, its `sitecustomize` does. That loader is loaded only where an installed package waits
for it: it takes a sixth of what telemetry adds to the start of a process.
"""

import logging
import os
from collections.abc import Iterator
from importlib.metadata import EntryPoint, distributions
from importlib.util import find_spec
from typing import Any, Final

from opentelemetry.instrumentation.environment_variables import OTEL_PYTHON_DISABLED_INSTRUMENTATIONS as DISABLED

from mita_otel import heap, import_path
from mita_otel.later import loaded_later

with heap.uncollected(), loaded_later("psutil"):
    from mita_otel import bootstrap
    from mita_otel.settings import environment

FOLDER: Final = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - entries of the path are texts
"""What `mita-instrument` puts on the path of a program."""

_AROUND: Final = ("opentelemetry_pre_instrument", "opentelemetry_post_instrument")
_INSTRUMENTORS: Final = "opentelemetry_instrumentor"
_EVERY: Final = "*"

_logger: Final = logging.getLogger("mita_otel")


def initialize() -> None:
    """Start telemetry, and instrument the libraries that only installed packages of others have a module for.

    What is started meanwhile gets no telemetry: it would come here, too. A failure is logged, and the application runs;
    for our own part of it see `bootstrap.launch`.
    """
    hidden = _path_without_hook()
    try:
        start()
        if bootstrap.running() is not None and _are_others_waiting():
            _instrument_the_rest()
    except Exception:
        _logger.exception("libraries that others instrument run without telemetry")
    finally:
        if hidden:
            _put_hook_back()


def start() -> None:
    """Start the three signals and instrument the libraries that this distribution has modules for."""
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


def is_absent(instrumentor: EntryPoint) -> bool:
    """Say whether an instrumentor has nothing to instrument, though its own check does not find that.

    This one comes with contrib's httpx, whose import would load httpx into processes that do not use it.
    """
    return instrumentor.name == "httpx2" and find_spec("httpx2") is None


def _are_others_waiting() -> bool:
    disabled = {name.strip() for name in environment().get(DISABLED, "").split(",")}
    for point in _points():
        if point.group == _INSTRUMENTORS:
            if not (_EVERY in disabled or point.name in disabled or is_absent(point)):
                return True
        elif not point.value.startswith("mita_otel."):
            return True
    return False


def _points() -> Iterator[EntryPoint]:
    """Yield the entry points that the loader would look for; it takes longest to read those that it would not."""
    groups = (*_AROUND, _INSTRUMENTORS)
    for package in distributions():
        written = package.read_text("entry_points.txt")
        if written is not None and any(group in written for group in groups):
            yield from (point for point in package.entry_points if point.group in groups)


def _instrument_the_rest() -> None:
    from opentelemetry.instrumentation.auto_instrumentation import _load  # noqa: PLC0415 - slow

    loader: Any = _load
    loader._load_instrumentors(loader._load_distro())  # noqa: SLF001 - what `opentelemetry-instrument` calls


def _path_without_hook() -> bool:
    places = environment().get("PYTHONPATH", "").split(os.pathsep)
    if FOLDER not in places:
        return False
    environment()["PYTHONPATH"] = os.pathsep.join(place for place in places if place != FOLDER)
    return True


def _put_hook_back() -> None:
    path = environment().get("PYTHONPATH", "")
    environment()["PYTHONPATH"] = os.pathsep.join([FOLDER, *(path.split(os.pathsep) if path else ())])
