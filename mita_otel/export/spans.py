"""Ended spans into an outbox."""

from collections.abc import Callable, Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from mita_otel.export.pace import Pace
from mita_otel.export.processor import OutboxProcessor
from mita_otel.export.sender import Sender


class OutboxSpanProcessor(OutboxProcessor[ReadableSpan], SpanProcessor):
    """Delivers sampled spans.

    Args:
        sender: For the `traces` signal.
        prepare: Applied to each span before encoding, such as redaction; a span for which it raises is dropped.
        pace: Sizes and times.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        prepare: Callable[[ReadableSpan], ReadableSpan] | None = None,
        pace: Pace | None = None,
    ) -> None:
        super().__init__("span", "traces", _encode, sender=sender, prepare=prepare, pace=pace)

    def on_end(self, span: ReadableSpan) -> None:
        """Put the span into the outbox if it is sampled."""
        try:
            context = span.context
            if context is not None and context.trace_flags.sampled:
                self._outbox.put(span)
        except Exception:  # noqa: BLE001 - the guard of this room: ending a span must not fail
            self._outbox.discard()


def _encode(spans: Sequence[ReadableSpan]) -> bytes:
    payload: bytes = encode_spans(spans).SerializeToString()
    return payload
