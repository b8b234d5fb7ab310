"""The meter provider: readers, Views, the guards, and the metrics of process and host."""

from collections.abc import Sequence

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, Resource

from mita_otel.metrics import host, runtime
from mita_otel.metrics.callbacks import CallbackGuard
from mita_otel.metrics.cardinality import CardinalityGuard
from mita_otel.metrics.views import views
from mita_otel.settings import Settings


def build(settings: Settings, resource: Resource, readers: Sequence[MetricReader]) -> MeterProvider:
    """Return a provider read by every one of `readers`, with the metrics of process and host registered."""
    series, callbacks = CardinalityGuard(settings.cardinality_limit), CallbackGuard()
    series.install()
    callbacks.install()
    provider = MeterProvider(
        metric_readers=readers,
        resource=resource,
        views=views(explicit_buckets=settings.histogram_aggregation == "explicit_bucket_histogram"),
        shutdown_on_exit=False,
    )
    series.observe(provider)
    callbacks.observe(provider)
    runtime.observe(provider)
    host.observe(provider, host.HostLease(str(resource.attributes.get(SERVICE_NAME, ""))))
    return provider
