"""FastAPI before 0.142: contrib's instrumentation, with the route of mounted applications in full."""

import logging
from collections.abc import Callable
from typing import Any, Final

import fastapi
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

from mita_otel.libraries.faults import Faults
from mita_otel.libraries.model import Telemetry
from mita_otel.libraries.routes import template
from mita_otel.web.server import SCOPE_KEY, Exchange, known_method

_logger: Final = logging.getLogger("mita_otel.libraries.fastapi")


class Contrib:
    """Instruments applications, each the outermost of its request.

    Args:
        telemetry: the providers and settings.
    """

    __slots__ = ("_describe", "_excluded", "_telemetry")

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._excluded = _anchored(telemetry.settings.excluded_paths)
        self._describe = Faults("fastapi").guard(_describe)

    def instrument(self, app: fastapi.FastAPI) -> None:
        """Instrument an application before its first request; one that is mounted would be counted twice."""
        if app.middleware_stack is not None or getattr(app, "_is_instrumented_by_opentelemetry", False):
            return
        try:
            FastAPIInstrumentor.instrument_app(
                app,
                tracer_provider=self._telemetry.tracer_provider,
                meter_provider=self._telemetry.meter_provider,
                excluded_urls=self._excluded,
                exclude_spans=["send", "receive"],
            )
            app.build_middleware_stack = self._completing(app.build_middleware_stack)  # type: ignore[method-assign]  # as contrib does
        except Exception:
            _logger.exception("FastAPI is served without spans")

    def _completing(self, build: Callable[[], Any]) -> Callable[[], Any]:
        def build_middleware_stack() -> Any:
            stack = build()
            middleware = stack.app
            if isinstance(middleware, OpenTelemetryMiddleware):
                middleware.default_span_details = lambda scope: self._describe(scope) or ("HTTP", {})
                # Our own layer counts the bytes; contrib would believe the headers, and mix up requests that overlap.
                middleware.server_request_body_size_histogram = None
                middleware.server_response_body_size_histogram = None
            return stack

        return build_middleware_stack


def _describe(scope: Any) -> tuple[str, dict[str, str]]:
    """Return the name of a SERVER span and its route; our own layer is told the route, too."""
    route = template(scope)
    exchange = scope.get(SCOPE_KEY)
    if isinstance(exchange, Exchange):
        exchange.route = route
    method = known_method(scope) or "HTTP"
    return (method, {}) if route is None else (f"{method} {route}", {"http.route": route})


def _anchored(patterns: tuple[str, ...]) -> str:
    """Return contrib's form of the excluded paths: expressions over the whole URL, anchored to match the path only."""
    paths = (pattern.replace(".", "[.]").replace("*", "[^?]*") for pattern in patterns)
    return ",".join(rf"^[a-z]+://[^/?#]*{path}(?:[?]|$)" for path in paths)
