"""The meter provider: readers, Views, the cardinality guard, and the metrics of the process itself."""

from collections.abc import Sequence

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import Resource

from mita_otel.metrics import runtime
from mita_otel.metrics.cardinality import CardinalityGuard
from mita_otel.metrics.views import views
from mita_otel.settings import Settings


def build(settings: Settings, resource: Resource, readers: Sequence[MetricReader]) -> MeterProvider:
    """Return a provider read by every one of `readers`, with the process's own metrics registered."""
    guard = CardinalityGuard(settings.cardinality_limit)
    guard.install()
    provider = MeterProvider(
        metric_readers=readers,
        resource=resource,
        views=views(explicit_buckets=settings.histogram_aggregation == "explicit_bucket_histogram"),
        shutdown_on_exit=False,
    )
    guard.observe(provider)
    runtime.observe(provider)
    return provider
