"""What an instrumentation is given, and what it hands back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry._logs import LoggerProvider
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from mita_otel.settings import Settings
    from mita_otel.web.administration import Examine


class Telemetry(NamedTuple):
    """The providers that instrumentations write to, and the settings they obey.

    Attributes:
        examine: examines this process for whoever has the token of the administration.
    """

    tracer_provider: TracerProvider
    meter_provider: MeterProvider
    logger_provider: LoggerProvider
    settings: Settings
    examine: Examine | None = None


class Instrumented(NamedTuple):
    """A library that is instrumented: its version, who does the work, and how to take it back."""

    library: str
    version: str
    path: Literal["ours", "native", "contrib"]
    undo: Callable[[], None]
