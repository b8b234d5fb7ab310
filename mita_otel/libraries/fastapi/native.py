"""FastAPI's native telemetry: what it is given, what its exceptions become, and how it finds what it was given."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Final

from opentelemetry import trace
from opentelemetry._logs import Logger, LoggerProvider, LogRecord
from opentelemetry.context import Context

from mita_otel.current_context import get_current
from mita_otel.libraries.model import Telemetry
from mita_otel.libraries.patches import Patches

NATIVE: Final = "_mita_native"
"""Attribute of an application that tells FastAPI how to trace it, so that FastAPI does."""


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


class ExceptionEvents(LoggerProvider):
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
        """Return a logger whose exceptions become events of the span."""
        return _Exceptions(name, self._provider.get_logger(name, version, schema_url, attributes))


def defaults(excluded: Callable[[str], bool], telemetry: Telemetry) -> Callable[..., None]:
    """Return what goes around the constructor of applications: their native telemetry writes to our providers.

    Args:
        excluded: says whether a path is left out.
        telemetry: the providers.
    """
    events = ExceptionEvents(telemetry.logger_provider)

    def initialise(
        wrapped: Callable[..., None], application: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        given: Mapping[str, Any] = kwargs.get("telemetry") or {}
        theirs = given.get("exclude")

        def exclude(scope: Any) -> bool:
            return excluded(scope["path"]) or bool(theirs is not None and theirs(scope))

        ours = {
            "tracer_provider": telemetry.tracer_provider,
            "meter_provider": telemetry.meter_provider,
            "logger_provider": events,
            # Four INTERNAL spans a request that no one asked for.
            "operation_spans": False,
            # Would add a second exporter to our providers.
            "auto_configure": False,
        }
        kwargs["telemetry"] = {**ours, **given, "exclude": exclude}
        wrapped(*args, **kwargs)
        application.__dict__[NATIVE] = bool(given)

    return initialise


def look_directly(api: ModuleType | None, routing: ModuleType | None, patches: Patches) -> None:
    """Let FastAPI find a request's telemetry by one look at the context.

    It looks around each dependency, endpoint and serialisation, whether anyone wants spans of those or not: four times
    a request, each by four calls that only hand the context on.

    Args:
        api: `fastapi.telemetry._api`; where there is none, or what is needed has other names in it, nothing changes.
        routing: `fastapi.routing`, which has taken two of its functions.
        patches: undo it.
    """
    key, nothing = getattr(api, "_REQUEST_TELEMETRY_KEY", None), getattr(api, "_NO_OPERATION", None)
    if api is None or key is None or nothing is None:
        return

    # Nothing else is ever put under a key that the API has made for one owner.

    def look(context: Context | None = None) -> Any:
        return (get_current() if context is None else context).get(key)

    def data(context: Context | None = None) -> Any:
        found: Any = (get_current() if context is None else context).get(key)
        return None if found is None else found.data

    def operation(original: Callable[..., Any]) -> Callable[..., Any]:
        def begun(*, name: str, function: Callable[..., Any] | None = None) -> Any:
            found: Any = get_current().get(key)
            return nothing if found is None or found.tracer is None else original(name=name, function=function)

        return begun

    wrappers: Mapping[str, Callable[[Any], Any]] = {
        "_get_request_telemetry": lambda _: look,
        "get_telemetry_data": lambda _: data,
        "_operation": operation,
    }
    for module in (api, routing) if routing is not None else (api,):
        for name, wrapper in wrappers.items():
            if hasattr(module, name):
                patches.replace(module, name, wrapper)
