"""A span as the current one of a block or a function."""

import functools
import inspect
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar, cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation import _SPAN_KEY

from mita_otel.current_context import attach, detach, get_current
from mita_otel.traces.span import Span, describe

F = TypeVar("F", bound=Callable[..., Any])


def with_span(span: trace.Span) -> Context:
    """Return the current context with another span in it: as the API does, without its calls."""
    copy = get_current().copy()
    copy[_SPAN_KEY] = span
    return Context(copy)


class CurrentSpan:
    """What `start_as_current_span` returns: a block's manager, and a decorator of functions and coroutine functions.

    A class instead of the API's two generators inside each other: 1.2 us a span instead of 2.3.

    Args:
        begin: starts the span; called at the beginning of the block.
        end_on_exit: end it with the block.
        record: add an event about an exception that leaves the block.
        status: make it an error for one.
    """

    __slots__ = ("_begin", "_end_on_exit", "_record", "_span", "_status", "_token")

    def __init__(self, begin: Callable[[], trace.Span], *, end_on_exit: bool, record: bool, status: bool) -> None:
        self._begin = begin
        self._end_on_exit = end_on_exit
        self._record = record
        self._status = status

    def __enter__(self) -> trace.Span:
        """Start the span and make it the current one."""
        span = self._span = self._begin()
        self._token = attach(with_span(span))
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Restore the span that was current before; exceptions other than `Exception` are no errors."""
        detach(self._token)
        span = self._span
        try:
            if isinstance(error, Exception):
                self._fail(span, error)
        finally:
            if self._end_on_exit:
                span.end()

    def _fail(self, span: trace.Span, error: Exception) -> None:
        if isinstance(span, Span):
            span.fail(error, record=self._record, status=self._status)
        elif span.is_recording():
            if self._record:
                span.record_exception(error)
            if self._status:
                span.set_status(trace.Status(trace.StatusCode.ERROR, describe(error)))

    def __call__(self, function: F) -> F:
        """Decorate a function: each call gets a span of its own, a coroutine's until it is done."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def traced_coroutine(*args: Any, **kwargs: Any) -> Any:
                with self._again():
                    return await function(*args, **kwargs)

            return cast("F", traced_coroutine)

        @functools.wraps(function)
        def traced(*args: Any, **kwargs: Any) -> Any:
            with self._again():
                return function(*args, **kwargs)

        return cast("F", traced)

    def _again(self) -> "CurrentSpan":
        return CurrentSpan(self._begin, end_on_exit=self._end_on_exit, record=self._record, status=self._status)
