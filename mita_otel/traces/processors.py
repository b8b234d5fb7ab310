"""The processors of a provider, each asked only for what it does."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, SynchronousMultiSpanProcessor
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.trace import SpanKind

Ended: TypeAlias = Callable[[ReadableSpan], None]

TAKES_ORIGINAL: Final = "takes_original_spans"
"""Name of the attribute by which a processor says that it changes no span, and so needs no copy of it."""

SERVER_ONLY: Final = "starts_server_spans_only"
"""Name of the attribute by which `RequestSpanProcessor` says that it does nothing at the start of spans of other kinds,
nor of those that our own server begins (see `Tracer.start_span`)."""

_FAILED: Final = "a span processor failed: %r"
_logger: Final = logging.getLogger(__name__)


class Processors(SynchronousMultiSpanProcessor):
    """Calls processors in their order, as the SDK does, but not those that inherit a method that does nothing.

    Attributes:
        starting: what is called with a span that starts, and its parent's context.
        starting_server: the same for SERVER spans that somebody else than our own server begins.
        ending: what is called with a span that may still be changed though its end is known.
        ended: what takes ended spans as they are.
        ended_copies: what takes the SDK's read-only copies; where it is empty, no copies are made.
        take: what a span that is over is handed to: `on_end`, or the one processor that there is.
    """

    def __init__(self) -> None:
        self.starting: tuple[Callable[..., None], ...] = ()
        self.starting_server: tuple[Callable[..., None], ...] = ()
        self.ending: tuple[Callable[[SdkSpan], None], ...] = ()
        self.ended: tuple[Ended, ...] = ()
        self.ended_copies: tuple[Ended, ...] = ()
        self.take: Ended = self.on_end
        super().__init__()  # type: ignore[no-untyped-call] # the SDK's

    @property
    def _span_processors(self) -> tuple[SpanProcessor, ...]:
        return self._all

    @_span_processors.setter
    def _span_processors(self, processors: tuple[SpanProcessor, ...]) -> None:
        # A property, because libraries put their own tuple here to take a processor out.
        self._all = tuple(processors)
        self.starting_server = self._doing("on_start")
        self.starting = tuple(
            p.on_start for p in self._all if _does(p, "on_start") and not getattr(p, SERVER_ONLY, False)
        )
        self.ending = self._doing("_on_ending")
        ended = [(bool(getattr(p, TAKES_ORIGINAL, False)), p.on_end) for p in self._all if _does(p, "on_end")]
        self.ended = tuple(method for original, method in ended if original)
        self.ended_copies = tuple(method for original, method in ended if not original)
        self.take = self.ended[0] if len(ended) == 1 and self.ended else self.on_end

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        """Tell of a span that starts; what a processor raises is logged and stays here."""
        self.tell(self.starting_server if span.kind is SpanKind.SERVER else self.starting, span, parent_context)

    def tell(self, starting: Iterable[Callable[..., None]], span: SdkSpan, parent_context: Context | None) -> None:
        """Tell those of `starting` or `starting_server` whom a span that starts concerns."""
        for method in starting:
            try:
                method(span, parent_context=parent_context)
            except Exception:
                _logger.exception(_FAILED, method)

    def _on_ending(self, span: SdkSpan) -> None:
        for method in self.ending:
            try:
                method(span)
            except Exception:
                _logger.exception(_FAILED, method)

    def on_end(self, span: ReadableSpan) -> None:
        """Hand on a span that is over, then a copy of it to those that may change what they get."""
        for method in self.ended:
            try:
                method(span)
            except Exception:
                _logger.exception(_FAILED, method)
        if not self.ended_copies:
            return
        copy = span._readable_span() if isinstance(span, SdkSpan) else span  # noqa: SLF001 - as the SDK does
        for method in self.ended_copies:
            try:
                method(copy)
            except Exception:
                _logger.exception(_FAILED, method)

    def _doing(self, name: str) -> tuple[Callable[..., Any], ...]:
        return tuple(getattr(processor, name) for processor in self._all if _does(processor, name))

    def copying(self) -> list[str]:
        """Return the types of the processors for which each span is copied."""
        return [type(p).__name__ for p in self._all if _does(p, "on_end") and not getattr(p, TAKES_ORIGINAL, False)]


def _does(processor: SpanProcessor, name: str) -> bool:
    """Say whether a method is there, and is more than the SDK's empty one."""
    found = getattr(processor, name, None)
    return found is not None and getattr(found, "__func__", found) is not getattr(SpanProcessor, name)
