"""The tracer provider: sampler, limits, request marks, delivery."""

from collections.abc import Sequence

from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk._configuration import _import_sampler
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider

from mita_otel.settings import Settings
from mita_otel.traces.request import RequestSpanProcessor


def build(
    settings: Settings, resource: Resource, meter_provider: MeterProvider, exports: Sequence[SpanProcessor]
) -> TracerProvider:
    """Return a provider whose spans go to every one of `exports`.

    The sampler is the one that `OTEL_TRACES_SAMPLER` names, `parentbased_always_on` by default.
    """
    provider = TracerProvider(
        sampler=_import_sampler(settings.traces_sampler),
        resource=resource,
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_attribute_length=settings.attribute_length_limit),
        meter_provider=meter_provider,
    )
    provider.add_span_processor(RequestSpanProcessor())
    for processor in exports:
        provider.add_span_processor(processor)
    return provider
