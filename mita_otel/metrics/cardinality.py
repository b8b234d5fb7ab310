"""A limit on the series of an instrument, which the SDK does not have.

Source: OpenTelemetry specification, Metrics SDK, "Cardinality limits": measurements beyond the limit are aggregated
into one series with the attribute `otel.metric.overflow=true`.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final

import wrapt
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation
from opentelemetry.sdk.metrics._internal import _view_instrument_match as sdk
from opentelemetry.sdk.metrics._internal.measurement import Measurement

from mita_otel.metrics.catalogue.telemetry import METRIC_OVERFLOW_MEASUREMENTS

OVERFLOW: Final = {"otel.metric.overflow": True}


class CardinalityGuard:
    """Sends new attribute sets of a full instrument to its overflow series, and counts them.

    The SDK offers no seam for this, so the one method that files a measurement under its attributes is wrapped; the
    exact pin of the SDK keeps that safe. Below the limit it costs one `len`.

    Args:
        limit: series an instrument may have, the overflow series included.
    """

    __slots__ = ("_limit", "_overflowed", "_undo")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._overflowed: Counter[str] = Counter()
        self._undo: Callable[[], None] | None = None

    def install(self) -> None:
        """Begin to guard every instrument of this process."""
        original = sdk._ViewInstrumentMatch.consume_measurement  # noqa: SLF001 - see the class's docstring
        wrapt.wrap_function_wrapper(sdk, "_ViewInstrumentMatch.consume_measurement", self._consume)

        def undo() -> None:
            sdk._ViewInstrumentMatch.consume_measurement = original  # type: ignore[method-assign]  # noqa: SLF001 - as above

        self._undo = undo

    def remove(self) -> None:
        """Stop guarding."""
        if self._undo is not None:
            self._undo()
            self._undo = None

    def observe(self, provider: MeterProvider) -> None:
        """Report how many measurements went to overflow series, by instrument."""
        METRIC_OVERFLOW_MEASUREMENTS.observe(provider.get_meter("mita_otel.metrics.cardinality"), self._report)

    def _report(self, _: CallbackOptions) -> Iterable[Observation]:
        return [Observation(count, {"mita.instrument.name": name}) for name, count in self._overflowed.copy().items()]

    def _consume(self, wrapped: Callable[..., None], match: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if len(match._attributes_aggregation) >= self._limit - 1:  # noqa: SLF001 - see the class's docstring
            measurement: Measurement = args[0]
            if not self._known(match, measurement):
                self._overflowed[measurement.instrument.name] += 1
                args = (_overflow(measurement), *args[1:])
                return self._unfiltered(wrapped, match, args, kwargs)
        return wrapped(*args, **kwargs)

    @staticmethod
    def _known(match: Any, measurement: Measurement) -> bool:
        keys = match._view._attribute_keys  # noqa: SLF001 - see the class's docstring
        attributes = measurement.attributes or {}
        filed = {k: v for k, v in attributes.items() if keys is None or k in keys}
        return sdk._hash_attributes(filed) in match._attributes_aggregation  # noqa: SLF001 - as above

    @staticmethod
    def _unfiltered(wrapped: Callable[..., None], match: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        keys = match._view._attribute_keys  # noqa: SLF001 - see the class's docstring
        if keys is not None and "otel.metric.overflow" not in keys:
            match._view._attribute_keys = {*keys, "otel.metric.overflow"}  # noqa: SLF001 - as above
        wrapped(*args, **kwargs)


def _overflow(measurement: Measurement) -> Measurement:
    return Measurement(
        value=measurement.value,
        time_unix_nano=measurement.time_unix_nano,
        instrument=measurement.instrument,
        context=measurement.context,
        attributes=dict(OVERFLOW),
    )
