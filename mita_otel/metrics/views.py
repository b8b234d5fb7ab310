"""Views: the catalogue's buckets for whoever makes an instrument, and its attributes where a client could add some."""

from typing import Any

from opentelemetry.sdk.metrics.view import Aggregation, ExplicitBucketHistogramAggregation, View

from mita_otel.metrics.catalogue import INSTRUMENTS
from mita_otel.metrics.exemplars import reservoir
from mita_otel.metrics.instrument import Histogram, Instrument


def views(*, explicit_buckets: bool) -> list[View]:
    """Return the provider's Views; without explicit buckets histograms keep the exporter's own aggregation."""
    return [
        _view(instrument, explicit_buckets=explicit_buckets)
        for instrument in INSTRUMENTS.values()
        if isinstance(instrument, Histogram) or _is_served(instrument)
    ]


def _view(instrument: Instrument, *, explicit_buckets: bool) -> View:
    aggregation: Aggregation | None = None
    if explicit_buckets and isinstance(instrument, Histogram):
        aggregation = ExplicitBucketHistogramAggregation(instrument.buckets)
    return _Named(
        instrument_name=instrument.name,
        attribute_keys=set(instrument.attribute_names) if _is_served(instrument) else None,
        aggregation=aggregation,
        exemplar_reservoir_factory=reservoir if isinstance(instrument, Histogram) else None,
    )


class _Named(View):
    """A View of one name, not of a pattern: the SDK would compile one, and ask each of them about each instrument."""

    def _match(self, instrument: Any) -> bool:
        return bool(instrument.name == self._instrument_name)


def _is_served(instrument: Instrument) -> bool:
    """Return whether clients are what is measured: their Host header, paths and queries must not become series."""
    return instrument.name.startswith("http.server.")
