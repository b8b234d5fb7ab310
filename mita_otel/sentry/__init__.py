"""The bridge to Sentry: errors are reported with the ids of OpenTelemetry's traces; without a DSN there is nothing."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

from mita_otel.sentry.events import mask
from mita_otel.sentry.identity import describe
from mita_otel.sentry.rates import Rates, rates_of
from mita_otel.settings import Settings

__all__ = ["Bridged", "Rates", "bridge", "describe", "mask", "rates_of"]

_logger: Final = logging.getLogger("mita_otel.sentry")


@dataclass(frozen=True, slots=True)
class Bridged:
    """The bridge in place.

    Args:
        closings: what to close at the end of the process, by name.
        undo: takes the bridge down; what waits for delivery is given up.
    """

    closings: tuple[tuple[str, Callable[[float], object]], ...] = ()
    undo: Callable[[], None] = lambda: None


def bridge(
    settings: Settings, tracer_provider: TracerProvider, meter_provider: MeterProvider, **options: Any
) -> Bridged:
    """Report errors to Sentry from now on, if there is a DSN.

    Args:
        settings: what the environment asks for.
        tracer_provider: its spans of databases, caches and clients become breadcrumbs; its resource says who reports.
        meter_provider: counts what could not be delivered.
        options: more for `sentry_sdk.init`, such as a transport.

    Raises:
        Exception: the SDK could not be started, and the settings are strict; else that is logged.
    """
    if settings.sentry_dsn is None:
        return Bridged()
    resource: Mapping[str, Any] = tracer_provider.resource.attributes
    try:
        from mita_otel.sentry.client import connect  # noqa: PLC0415 - importing the SDK takes 0.2 s: who has no DSN saves them
        from mita_otel.sentry.losses import Losses, delivering  # noqa: PLC0415 - as above

        losses = Losses()
        close, undo = connect(
            settings, describe(settings, resource), tracer_provider, {"transport": delivering(losses), **options}
        )
        losses.observe(meter_provider)
    except Exception:
        if settings.strict:
            raise
        _logger.exception("errors are not reported to Sentry")
        return Bridged()
    return Bridged((("sentry", close),), undo)
