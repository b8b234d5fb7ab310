"""Ended spans into an outbox."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import TraceFlags

from mita_otel.export.pace import Pace
from mita_otel.export.processor import OutboxProcessor
from mita_otel.export.sender import Sender
from mita_otel.export.span_encoder import SpanEncoder
from mita_otel.export.wire import Piece

if TYPE_CHECKING:
    from mita_otel.export.spool import Spool

_SAMPLED: Final = TraceFlags.SAMPLED


class OutboxSpanProcessor(OutboxProcessor[ReadableSpan | Piece], SpanProcessor):
    """Delivers sampled spans.

    Args:
        sender: For the `traces` signal.
        encoder: Makes payloads of spans, masked or as they are; without it as `prepare` leaves them.
        prepare: Applied to each span before encoding, such as redaction; a span for which it raises is dropped.
        pace: Sizes and times.
        spool: Where to store what is left in a long outage or at the end.
    """

    takes_original_spans: Final = True

    def __init__(
        self,
        sender: Sender,
        *,
        encoder: SpanEncoder | None = None,
        prepare: Callable[[ReadableSpan], ReadableSpan] | None = None,
        pace: Pace | None = None,
        spool: "Spool | None" = None,
    ) -> None:
        encoding = encoder or SpanEncoder(prepare)
        super().__init__(
            "span",
            "traces",
            encoding.payload,
            sender=sender,
            prepare=None,
            pace=pace,
            spool=spool,
            turns=encoding.turns,
        )

    def on_end(self, span: ReadableSpan) -> None:
        """Put the span into the outbox if it is sampled."""
        try:
            # The property of a span and that of its context would be two calls.
            context = span._context  # noqa: SLF001
            if context is not None and context[3] & _SAMPLED:
                self._outbox.put(span)
        except Exception:  # noqa: BLE001 - the guard of this room: ending a span must not fail
            self._outbox.discard()
