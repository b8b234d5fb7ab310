"""FastAPI: its native telemetry from 0.142, contrib's instrumentation before; our server layer around either."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from importlib.metadata import version
from importlib.util import find_spec
from types import MethodType
from typing import Any, Literal

import fastapi
import wrapt
from opentelemetry import trace
from opentelemetry._logs import Logger, LoggerProvider, LogRecord

from mita_otel.libraries.faults import Faults
from mita_otel.libraries.model import Instrumented, Telemetry
from mita_otel.web.server import SCOPE_KEY, ServerLayer


class _Exceptions(Logger):
    """Turns FastAPI's exception log into an event of the SERVER span; everything else goes on.

    uvicorn logs the same exception with its traceback, so a second log record would count it twice.
    """

    def __init__(self, name: str, logger: Logger) -> None:
        super().__init__(name)
        self._logger = logger

    def enabled(self, **kwargs: Any) -> bool:
        return self._logger.enabled(**kwargs)

    def emit(self, record: LogRecord | None = None, *, exception: BaseException | None = None, **kwargs: Any) -> None:
        if exception is not None:
            trace.get_current_span().record_exception(exception)
        elif record is not None:
            self._logger.emit(record)
        else:
            self._logger.emit(**kwargs)


class _ExceptionEvents(LoggerProvider):
    """The logger provider that native telemetry is given."""

    def __init__(self, provider: LoggerProvider) -> None:
        self._provider = provider

    def get_logger(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Any = None,
    ) -> Logger:
        return _Exceptions(name, self._provider.get_logger(name, version, schema_url, attributes))


def instrument(telemetry: Telemetry) -> Instrumented:
    """Instrument every application made from now on, each request once, whichever path FastAPI's version allows."""
    report = Faults("fastapi").report
    layer = ServerLayer(telemetry.settings, telemetry.meter_provider, examine=telemetry.examine, report=report)
    native = find_spec("fastapi.telemetry") is not None
    originals: dict[str, Any] = {"__init__": fastapi.FastAPI.__init__, "__call__": fastapi.FastAPI.__call__}
    if native:
        wrapt.wrap_function_wrapper(fastapi, "FastAPI.__init__", _native_defaults(layer, telemetry))
    prepare = None if native else _contrib(telemetry)
    fastapi.FastAPI.__call__ = _serving(layer, originals["__call__"], prepare)  # type: ignore[method-assign] # that is the point

    def undo() -> None:
        for name, original in originals.items():
            setattr(fastapi.FastAPI, name, original)

    path: Literal["native", "contrib"] = "native" if native else "contrib"
    return Instrumented("fastapi", version("fastapi"), path, undo)


def _native_defaults(layer: ServerLayer, telemetry: Telemetry) -> Callable[..., None]:
    events = _ExceptionEvents(telemetry.logger_provider)

    def initialise(wrapped: Callable[..., None], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given: Mapping[str, Any] = kwargs.get("telemetry") or {}
        excluded = given.get("exclude")

        def exclude(scope: Any) -> bool:
            return layer.excluded(scope["path"]) or bool(excluded is not None and excluded(scope))

        defaults = {
            "tracer_provider": telemetry.tracer_provider,
            "meter_provider": telemetry.meter_provider,
            "logger_provider": events,
            # Four INTERNAL spans a request that no one asked for.
            "operation_spans": False,
            # Would add a second exporter to our providers.
            "auto_configure": False,
        }
        kwargs["telemetry"] = {**defaults, **given, "exclude": exclude}
        wrapped(*args, **kwargs)

    return initialise


def _contrib(telemetry: Telemetry) -> Callable[[fastapi.FastAPI], None]:
    from mita_otel.libraries.contrib import Contrib  # noqa: PLC0415 - only old FastAPI needs it

    return Contrib(telemetry).instrument


def _serving(
    layer: ServerLayer, original: Callable[..., Awaitable[None]], prepare: Callable[[fastapi.FastAPI], None] | None
) -> Any:
    # A plain coroutine function: servers look at it to tell ASGI 3 from ASGI 2 and from a factory.
    async def __call__(app: fastapi.FastAPI, scope: Any, receive: Any, send: Any) -> None:  # noqa: N807 - it replaces it
        if prepare is not None and SCOPE_KEY not in scope:
            prepare(app)
        await layer(MethodType(original, app), scope, receive, send)

    return wraps(original)(__call__)
