"""The tracer provider: sampler, limits, request marks, delivery; by the fast path or by the SDK's own."""

from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry import trace
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk._configuration import _import_sampler
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mita_otel.settings import Settings
from mita_otel.traces.counts import SpanCounts
from mita_otel.traces.processors import Processors
from mita_otel.traces.request import RequestSpanProcessor
from mita_otel.traces.tracer import Tracer


class Provider(TracerProvider):
    """The SDK's provider with tracers whose spans cost little.

    Attributes:
        counts: how many spans its tracers started and ended.
        processors: what is told of them.
    """

    def __init__(
        self,
        *,
        sampler: Sampler | None = None,
        resource: Resource | None = None,
        id_generator: IdGenerator | None = None,
        span_limits: SpanLimits | None = None,
    ) -> None:
        self.counts = SpanCounts()
        self.processors = Processors()
        super().__init__(
            sampler=sampler,
            resource=resource,
            shutdown_on_exit=False,
            active_span_processor=self.processors,
            id_generator=id_generator,
            span_limits=span_limits,
        )

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> trace.Tracer:
        """Return the tracer of a scope, the same one each time."""
        if self._disabled:
            return trace.NoOpTracer()
        scope = InstrumentationScope(
            instrumenting_module_name or "", instrumenting_library_version or "", schema_url, attributes
        )
        with self._tracers_lock:
            tracer = self._tracers.get(scope)
            if tracer is None:
                tracer = self._tracers[scope] = self._new_tracer(scope)
        return tracer

    def _new_tracer(self, scope: InstrumentationScope) -> Tracer:
        return Tracer(
            scope,
            sampler=self.sampler,
            resource=self._resource,
            processors=self.processors,
            id_generator=self.id_generator,
            span_limits=self._span_limits,
            counts=self.counts,
            config=self._apply_tracer_configurator(scope),
        )


def build(
    settings: Settings, resource: Resource, meter_provider: MeterProvider, exports: Sequence[SpanProcessor]
) -> TracerProvider:
    """Return a provider whose spans go to every one of `exports`.

    The sampler is the one that `OTEL_TRACES_SAMPLER` names, `parentbased_always_on` by default. The spans are ours,
    or under `MITA_FAST_PATH=false` the SDK's.
    """
    sampler = _import_sampler(settings.traces_sampler)
    limits = SpanLimits(max_attribute_length=settings.attribute_length_limit)
    provider: TracerProvider
    if settings.fast_path:
        provider = Provider(sampler=sampler, resource=resource, span_limits=limits)
    else:
        provider = TracerProvider(
            sampler, resource, shutdown_on_exit=False, span_limits=limits, meter_provider=meter_provider
        )
    provider.add_span_processor(RequestSpanProcessor())
    for processor in exports:
        provider.add_span_processor(processor)
    return provider
