"""Ended spans into an outbox."""

from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from mita_otel.export.observation import observe
from mita_otel.export.outbox import Closed, Outbox
from mita_otel.export.pace import Pace
from mita_otel.export.sender import Sender
from mita_otel.export.statistics import Statistics

DEFAULT_TIMEOUT_MILLIS = 30_000
"""Milliseconds, the SDK's own default for flush and shutdown."""


class OutboxSpanProcessor(SpanProcessor):
    """Delivers sampled spans, and says the truth about it.

    Args:
        sender: For the `traces` signal.
        prepare: Applied to each span in the delivery thread before encoding, such as redaction. A span for which it
            raises is dropped and counted: what could not be masked does not leave.
        pace: Sizes and times.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        prepare: Callable[[ReadableSpan], ReadableSpan] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._prepare = prepare
        self._outbox: Outbox[ReadableSpan] = Outbox(signal="traces", encode=self._encode, sender=sender, pace=pace)

    def on_end(self, span: ReadableSpan) -> None:
        """Put the span into the outbox if it is sampled."""
        try:
            context = span.context
            if context is not None and context.trace_flags.sampled:
                self._outbox.put(span)
        except Exception:  # noqa: BLE001 - the guard of this room: ending a span must not fail
            self._outbox.discard()

    def force_flush(self, timeout_millis: int = DEFAULT_TIMEOUT_MILLIS) -> bool:
        """Return True only if every span that ended before the call was acknowledged within the time."""
        return self._outbox.flush(timeout_millis / 1000)

    def shutdown(self) -> None:
        """Close with the SDK's default of 30 s; call `close` for a deadline of your own."""
        self.close(DEFAULT_TIMEOUT_MILLIS / 1000)

    def close(self, timeout: float) -> Closed:
        """Deliver what is here for at most `timeout` seconds, then stop."""
        return self._outbox.close(timeout)

    def statistics(self) -> Statistics:
        """Return the counts of this moment."""
        return self._outbox.statistics()

    def observe(self, meter_provider: MeterProvider) -> None:
        """Publish the counts as the standard SDK metrics."""
        observe(self._outbox, "span", meter_provider)

    def _encode(self, spans: Sequence[ReadableSpan]) -> bytes:
        prepared = spans if self._prepare is None else [self._prepare(span) for span in spans]
        payload: bytes = encode_spans(prepared).SerializeToString()
        return payload
