"""What is taken from a record on the thread that made it: by value, for a record and its arguments may change."""

import copy
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextvars import Context
from logging import LogRecord
from typing import Any, Final, TextIO

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from mita_otel import correlation
from mita_otel.logs import access, fields
from mita_otel.logs.request import span_of
from mita_otel.logs.values import MAX_KEY, Plain, key_of, text_of, utf8

Part = Callable[[LogRecord, "Captured"], None]

_STANDARD: Final = frozenset(LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
    # uvicorn's second copy of the message, with escape codes.
    "color_message",
}
_PLAIN_LENGTH: Final = len(LogRecord("", 0, "", 0, "", (), None).__dict__)
"""Attributes of a record that nothing was added to."""
_INT64: Final = 2**63


class Captured:
    """One record, ready to be finished by another thread: it holds no exception, no argument, nothing that can change.

    Attributes:
        template: the message before its arguments, where it is text: what the stream is judged by.
        message: the message.
        note: what was wrong with the logging call.
        exception: type, message and stack trace.
        stack: the caller's stack.
        extras: what `extra=` brought, in plain values.
        arguments: those of a server's access line.
        span: what it belongs to.
        correlation_id: the same for the request.
        stream: the standard output of that moment.
        generation: 0 as a rule, 1 for a record made while another was handled.
        context: the context variables of that moment, where a processor of the user's may want them.
        is_exported: whether it goes out over OTLP.
    """

    __slots__ = (
        *("created", "levelno", "levelname", "name", "module", "funcName", "lineno", "pathname"),
        *("threadName", "thread", "process", "template", "message", "note", "exception", "stack", "extras"),
        *("arguments", "span", "correlation_id", "stream", "generation", "context", "is_exported"),
    )

    def __init__(self, record: LogRecord, generation: int) -> None:
        self.created = record.created
        self.levelno = record.levelno
        self.levelname = record.levelname
        self.name = record.name
        self.module = record.module
        self.funcName = record.funcName  # named as in LogRecord
        self.lineno = record.lineno
        self.pathname = record.pathname
        self.threadName = record.threadName
        self.thread = record.thread
        self.process = record.process
        self.template: str | None = record.msg if type(record.msg) is str else None
        self.message = ""
        self.note: str | None = None
        self.exception: dict[str, str] | None = None
        self.stack: str | None = None
        self.extras: dict[str, Any] | None = None
        self.arguments: Any = None
        self.span: SpanContext = INVALID_SPAN_CONTEXT
        self.correlation_id: str | None = None
        self.stream: TextIO | None = None
        self.generation = generation
        self.context: Context | None = None
        self.is_exported = False


class Capture:
    """Takes a record in, part by part; one that fails is counted and costs its part alone."""

    __slots__ = ("_faults", "_parts")

    def __init__(self, parts: Sequence[Part], faults: Counter[str]) -> None:
        self._parts = tuple(parts)
        self._faults = faults

    def __call__(self, record: LogRecord, generation: int = 0) -> Captured:
        """Return what the record says.

        Args:
            record: any one that `logging` or an imitation of it made.
            generation: how many other records are being handled on this thread.
        """
        captured = Captured(record, generation)
        for part in self._parts:
            try:
                part(record, captured)
            except Exception:  # noqa: BLE001 - a fault of one part must not cost the line
                self._faults[getattr(part, "__name__", "part")] += 1
        return captured


def parts(limit: int) -> list[Part]:
    """Return what is taken, in its order; `limit` is the number of characters of an extra."""
    return [bind_message, bind_exception, bind_extras(limit), bind_request]


def bind_message(record: LogRecord, captured: Captured) -> None:
    """Format the message; arguments that do not fit leave the template, and a note that says so.

    At once, for half a microsecond: an argument may be another one by the time that someone else formats it.
    """
    template = captured.template
    if template is None:
        template = text_of(record.msg)
    if record.name in access.LOGGERS:
        captured.arguments = record.args if type(record.args) is tuple else copy.copy(record.args)
    if record.args:
        try:
            template = template % record.args
        except Exception as error:  # noqa: BLE001 - an argument's __str__ may raise anything
            captured.note = f"arguments do not fit the message: {type(error).__name__}"
    captured.message = utf8(template).rstrip("\n")


def bind_exception(record: LogRecord, captured: Captured) -> None:
    """Describe the exception by type, message and stack trace."""
    if record.stack_info:
        captured.stack = utf8(record.stack_info)
    if not record.exc_info:
        return
    error = _error(record.exc_info)
    if error is None:
        return
    kind = type(error)
    captured.exception = {
        fields.EXCEPTION_TYPE: kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}",
        fields.EXCEPTION_MESSAGE: text_of(error),
        fields.EXCEPTION_STACKTRACE: _stack_trace(error),
    }


def _error(given: object) -> BaseException | None:
    """Return the exception of an `exc_info`, which imitations of a record may fill in any way."""
    return given[1] if isinstance(given, tuple) and len(given) > 1 else None


def _stack_trace(error: BaseException) -> str:
    try:
        return utf8("".join(traceback.format_exception(error)))
    except Exception as fault:  # noqa: BLE001 - a traceback can be as broken as its exception
        return f"<no stack trace: {type(fault).__name__}>"


def bind_extras(limit: int) -> Part:
    """Return a part that takes over what `extra=` put on the record, in plain values."""

    def bind(record: LogRecord, captured: Captured) -> None:
        given = record.__dict__
        if len(given) == _PLAIN_LENGTH:
            return
        plain: Plain | None = None
        extras: dict[str, Any] = {}
        for key, value in list(given.items()):
            if key in _STANDARD:
                continue
            if not _is_plain(value, limit):
                plain = plain or Plain(limit)
                value = plain(value)  # noqa: PLW2901 - by value from here on
            extras[key if key.isascii() and 0 < len(key) <= MAX_KEY else key_of(key)] = value
        if extras:
            captured.extras = extras

    bind.__name__ = "bind_extras"
    return bind


def _is_plain(value: object, limit: int) -> bool:
    """Say whether a value is one that can neither change nor be too large."""
    kind = type(value)
    if kind is str:
        return value.isascii() and len(value) <= limit  # type: ignore[attr-defined,arg-type] # a str, exactly
    if kind is int:
        return -_INT64 <= value < _INT64  # type: ignore[operator] # an int, exactly
    return value is None or kind is bool


def bind_request(record: LogRecord, captured: Captured) -> None:
    """Remember the span and the correlation id of this moment."""
    captured.span = span_of(record)
    captured.correlation_id = correlation.current()
