"""FastAPI: our own path or its native telemetry from 0.142, contrib's instrumentation before; our layer around each."""

import logging
import sys
from collections.abc import Callable
from functools import wraps
from importlib.util import find_spec
from typing import Any, Final, Literal

import fastapi
import wrapt

from mita_otel.installed import version
from mita_otel.libraries.faults import Faults
from mita_otel.libraries.model import Instrumented, Telemetry
from mita_otel.libraries.patches import Patches
from mita_otel.web.server import SCOPE_KEY, ServerLayer, Spans
from mita_otel.web.serving import Serve, inside

__all__ = ["instrument"]

Path = Literal["ours", "native", "contrib"]

_logger: Final = logging.getLogger("mita_otel.libraries.fastapi")


def instrument(telemetry: Telemetry) -> Instrumented:
    """Instrument every application made from now on, each request once, by the path that the settings ask for.

    Where the installed FastAPI does not allow that path, the next is taken: ours, native, contrib.
    """
    report = Faults("fastapi").report
    path, spans = _path(telemetry)
    layer = ServerLayer(
        telemetry.settings, telemetry.meter_provider, examine=telemetry.examine, spans=spans, report=report
    )
    patches = Patches()
    originals: dict[str, Any] = {"__init__": fastapi.FastAPI.__init__, "__call__": fastapi.FastAPI.__call__}
    if path != "contrib":
        # Old FastAPI has nothing to be told.
        from mita_otel.libraries.fastapi.native import defaults, look_directly  # noqa: PLC0415

        wrapt.wrap_function_wrapper(fastapi, "FastAPI.__init__", defaults(layer.excluded, telemetry))
        look_directly(sys.modules.get("fastapi.telemetry._api"), sys.modules.get("fastapi.routing"), patches)
    serve = inside(layer, originals["__call__"])
    if path == "contrib":
        serve = _prepared(_contrib(telemetry), serve)
    fastapi.FastAPI.__call__ = serve  # type: ignore[method-assign,assignment] # that is the point

    def undo() -> None:
        for name, original in originals.items():
            setattr(fastapi.FastAPI, name, original)
        patches.undo()

    return Instrumented("fastapi", version("fastapi"), path, undo)


def _path(telemetry: Telemetry) -> tuple[Path, Spans | None]:
    """Return the path that serves, and what begins its spans if it is our own."""
    wanted = telemetry.settings.server_path
    if wanted == "contrib" or find_spec("fastapi.telemetry") is None:
        return "contrib", None
    if wanted == "native":
        return "native", None
    try:
        from mita_otel.libraries.fastapi.spans import FastAPISpans  # noqa: PLC0415 - a FastAPI to come may not have it

        return "ours", FastAPISpans(telemetry)
    except (ImportError, TypeError) as error:
        _logger.warning("this FastAPI is served by its native telemetry, for our own path does not know it: %s", error)
        return "native", None


def _contrib(telemetry: Telemetry) -> Callable[[fastapi.FastAPI], None]:
    from mita_otel.libraries.contrib import Contrib  # noqa: PLC0415 - where no other path is taken

    return Contrib(telemetry).instrument


def _prepared(prepare: Callable[[fastapi.FastAPI], None], serve: Serve) -> Serve:
    """Return what serves an application that contrib's instrumentation has to be in."""

    @wraps(serve)
    async def __call__(app: fastapi.FastAPI, scope: Any, receive: Any, send: Any) -> None:  # noqa: N807 - it replaces it
        if SCOPE_KEY not in scope:
            prepare(app)
            # Else native telemetry would trace a mounted application, which contrib does not.
            scope.setdefault("fastapi.telemetry", None)
        await serve(app, scope, receive, send)

    return __call__
