"""Views: the catalogue's buckets for whoever makes an instrument, and its attributes where a client could add some."""

from typing import Final

from opentelemetry.sdk.metrics.view import Aggregation, DropAggregation, ExplicitBucketHistogramAggregation, View

from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.catalogue.http import SERVER_REQUEST_BODY_SIZE, SERVER_RESPONSE_BODY_SIZE
from mita_otel.metrics.instrument import Histogram, Instrument

WEB_METER: Final = "mita_otel.web.server"
_CONTRIB_METER: Final = "opentelemetry.instrumentation.fastapi"

_BODY_SIZES: Final = (SERVER_REQUEST_BODY_SIZE, SERVER_RESPONSE_BODY_SIZE)


def views(*, explicit_buckets: bool) -> list[View]:
    """Return the provider's Views; without explicit buckets histograms keep the exporter's own aggregation."""
    result = [
        _view(instrument, explicit_buckets=explicit_buckets)
        for instrument in INSTRUMENTS.values()
        if isinstance(instrument, Histogram) or _is_served(instrument)
    ]
    # Before FastAPI's own telemetry, contrib measures body sizes too, streamed ones wrongly.
    result.extend(
        View(instrument_name=instrument.name, meter_name=_CONTRIB_METER, aggregation=DropAggregation())
        for instrument in _BODY_SIZES
    )
    return result


def _view(instrument: Instrument, *, explicit_buckets: bool) -> View:
    aggregation: Aggregation | None = None
    if explicit_buckets and isinstance(instrument, Histogram):
        aggregation = ExplicitBucketHistogramAggregation(instrument.buckets)
    return View(
        instrument_name=instrument.name,
        meter_name=WEB_METER if instrument in _BODY_SIZES else None,
        attribute_keys=set(instrument.attribute_names) if _is_served(instrument) else None,
        aggregation=aggregation,
    )


def _is_served(instrument: Instrument) -> bool:
    """Return whether clients are what is measured: their Host header, paths and queries must not become series."""
    return instrument.name.startswith("http.server.")
