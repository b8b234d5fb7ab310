"""Which telemetry an application has: its own by hand, and FastAPI's."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final

from mita_otel.doctor.facts.model import Application

_CONTRIB_MIDDLEWARE: Final = "OpenTelemetryMiddleware"
_NESTING: Final = 32
"""Wrappers around an application that are looked into."""


def load(name: str) -> object:
    """Import an application by its import string, `module:attribute`; `module:factory()` calls the factory.

    Raises:
        ValueError: there is no such thing; the message says which part is missing.
    """
    module_name, _, attributes = name.partition(":")
    is_factory = attributes.endswith("()")
    found: Any = import_module(module_name)
    for attribute in (attributes or "app").removesuffix("()").split("."):
        if not hasattr(found, attribute):
            raise ValueError(f"{name}: {found!r} has no attribute {attribute!r}")
        found = getattr(found, attribute)
    made: object = found() if is_factory else found
    return made


def describe(application: object, name: str) -> Application:
    """Describe an application, and what is wrapped around it."""
    layers = list(_layers(application))
    inner = next((layer for layer in layers if _is_fastapi(layer)), layers[-1])
    wrapped = (f"{type(layer).__name__}(app)" for layer in layers if type(layer).__name__ == _CONTRIB_MIDDLEWARE)
    return Application(
        name=name or type(inner).__name__,
        kind="FastAPI" if _is_fastapi(inner) else type(inner).__name__,
        by_hand=tuple(dict.fromkeys((*wrapped, *_by_hand(inner)))),
        native=_native(inner),
    )


def _layers(application: Any) -> Iterator[Any]:
    """Yield an application and what it wraps, the outermost first."""
    # A bound method is what our own layer is given.
    application = getattr(application, "__self__", application)
    for _ in range(_NESTING):
        yield application
        if _is_fastapi(application) or getattr(application, "app", None) is None:
            return
        application = application.app


def _is_fastapi(application: object) -> bool:
    # By name, for FastAPI may not be installed.
    return any(
        (kind.__module__, kind.__name__) == ("fastapi.applications", "FastAPI") for kind in type(application).__mro__
    )


def _by_hand(application: Any) -> Iterator[str]:
    if getattr(application, "_is_instrumented_by_opentelemetry", False):
        # Which puts contrib's middleware into the stack, so that it is not looked for there.
        yield "FastAPIInstrumentor.instrument_app(app)"
        return
    for middleware in getattr(application, "user_middleware", ()):
        if getattr(getattr(middleware, "cls", None), "__name__", "") == _CONTRIB_MIDDLEWARE:
            yield f"app.add_middleware({_CONTRIB_MIDDLEWARE})"


def _native(application: Any) -> Mapping[str, bool] | None:
    given = getattr(application, "_telemetry", None)
    if not isinstance(given, Mapping):
        return None
    return {name: value for name, value in given.items() if isinstance(value, bool)}
