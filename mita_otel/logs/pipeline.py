"""A log entry is a dict that a list of small steps fills in from a `logging.LogRecord`; here is the list."""

import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from logging import LogRecord
from typing import Any, Final

from opentelemetry.sdk.resources import Resource

from mita_otel.logs import access, fields, source
from mita_otel.logs.request import bind_request
from mita_otel.logs.values import Plain, cut, cut_middle, key_of, text_of, utf8

Entry = dict[str, Any]
Step = Callable[[LogRecord, Entry], None]

MAX_BODY: Final = 32_768
"""Characters of a message and of a stack trace, by default."""
MAX_VALUE: Final = 8_192
"""Characters of an extra, by default: the limit that spans have for an attribute's value."""
_SLACK: Final = 4_096
"""Characters read beyond a limit, so that a secret which the limit cuts through is still recognised."""

UNREADABLE: Final = "[not logged: masking failed]"
"""The message when masking failed: nothing goes out unmasked."""

_STANDARD: Final = frozenset(LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "message",
    "asctime",
    "taskName",
    # uvicorn's second copy of the message, with escape codes.
    "color_message",
}


@dataclass(frozen=True, slots=True)
class Redaction:
    """The three maskings that entries go through.

    Args:
        text: masks patterns in text.
        value: masks a value by its key first, then by patterns; nested values too.
        query: masks a URL's query string.
    """

    text: Callable[[str], str]
    value: Callable[[str | None, object], object]
    query: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Limits:
    """Characters of a body (message, stack trace) and of an extra's value; at least 256 each."""

    body: int = MAX_BODY
    value: int = MAX_VALUE


class Pipeline:
    """Runs the steps over a record; one that fails is counted and the others still run."""

    __slots__ = ("_faults", "_steps")

    def __init__(self, steps: Sequence[Step], faults: Counter[str]) -> None:
        self._steps = tuple(steps)
        self._faults = faults

    def __call__(self, record: LogRecord) -> Entry:
        """Return the entry of a record; never raises."""
        entry: Entry = {}
        for step in self._steps:
            try:
                step(record, entry)
            except Exception:  # noqa: BLE001 - a fault of one step costs that step's fields, never the line
                self._faults[getattr(step, "__name__", "step")] += 1
        return entry


def steps(resource: Callable[[], Resource], redaction: Redaction, limits: Limits) -> list[Step]:
    """Return the steps in their order: what happened, for whom, by whom, then masking, then the limits."""
    return [
        bind_origin,
        bind_message,
        access.bind_access(redaction.query),
        bind_exception,
        bind_extras(limits.value),
        bind_request,
        bind_service(resource),
        redact(redaction, limits),
        cap(limits),
    ]


def bind_origin(record: LogRecord, entry: Entry) -> None:
    """Say when, how severe, and from which line, thread and process."""
    moment = datetime.fromtimestamp(record.created, UTC)
    entry[fields.TIMESTAMP] = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
    entry[fields.LEVEL] = record.levelname
    entry[fields.LOGGER] = record.name
    entry[fields.MODULE] = record.module
    entry[fields.FUNCTION] = record.funcName
    entry[fields.LINE] = record.lineno
    entry[fields.FILE] = source.short(record.pathname)
    entry[fields.THREAD_NAME] = record.threadName
    entry[fields.THREAD_ID] = record.thread
    entry[fields.PROCESS_ID] = record.process


def bind_message(record: LogRecord, entry: Entry) -> None:
    """Format the message; arguments that do not fit leave the template, and a note that says so."""
    template = text_of(record.msg)
    if record.args:
        try:
            template = template % record.args
        except Exception as error:  # noqa: BLE001 - an argument's __str__ may raise anything
            entry[fields.NOTE] = f"arguments do not fit the message: {type(error).__name__}"
    entry[fields.MESSAGE] = utf8(template).rstrip("\n")


def bind_exception(record: LogRecord, entry: Entry) -> None:
    """Describe the exception by type, message and stack trace."""
    if record.stack_info:
        entry[fields.STACK] = utf8(record.stack_info)
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if error is None:
        return
    kind = type(error)
    entry[fields.EXCEPTION] = {
        fields.EXCEPTION_TYPE: kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}",
        fields.EXCEPTION_MESSAGE: text_of(error),
        fields.EXCEPTION_STACKTRACE: _stack_trace(error),
    }


def _stack_trace(error: BaseException) -> str:
    try:
        return utf8("".join(traceback.format_exception(error)))
    except Exception as fault:  # noqa: BLE001 - a traceback can be as broken as its exception
        return f"<no stack trace: {type(fault).__name__}>"


def bind_extras(limit: int) -> Step:
    """Return a step that takes over what `extra=` put on the record, in plain values."""

    def bind(record: LogRecord, entry: Entry) -> None:
        given = record.__dict__.keys() - _STANDARD
        if not given:
            return
        plain = Plain(limit)
        extras = entry.setdefault(fields.EXTRA, {})
        # In the order of the call, which a set has lost.
        for key, value in list(record.__dict__.items()):
            if key in given:
                extras[key_of(key)] = plain(value)

    bind.__name__ = "bind_extras"
    return bind


def bind_service(resource: Callable[[], Resource]) -> Step:
    """Return a step that says which service speaks; read anew when the resource changes, as it does after a fork."""
    seen: list[Resource] = []
    service: Entry = {}

    def bind(_: LogRecord, entry: Entry) -> None:
        now = resource()
        if not seen or seen[0] is not now:
            seen[:] = [now]
            service.clear()
            service.update({key: now.attributes[key] for key in fields.SERVICE if now.attributes.get(key)})
        entry.update(service)

    bind.__name__ = "bind_service"
    return bind


def redact(redaction: Redaction, limits: Limits) -> Step:
    """Return a step that masks sensitive data wherever the application could have put it."""

    def text(value: str, limit: int) -> str:
        if len(value) <= limit + _SLACK:
            return redaction.text(value)
        # The end of what was read may be half a secret; it is not kept.
        return cut(redaction.text(value[: limit + _SLACK])[:-_SLACK], limit, length=len(value))

    def mask(_: LogRecord, entry: Entry) -> None:
        # If masking fails, nothing of the original may go out.
        message = entry.get(fields.MESSAGE, "")
        entry[fields.MESSAGE] = UNREADABLE
        exception, stack, extras = (entry.pop(key, None) for key in (fields.EXCEPTION, fields.STACK, fields.EXTRA))
        entry[fields.MESSAGE] = text(message, limits.body)
        if stack is not None:
            entry[fields.STACK] = redaction.text(cut_middle(stack, limits.body))
        if exception is not None:
            entry[fields.EXCEPTION] = {
                fields.EXCEPTION_TYPE: exception[fields.EXCEPTION_TYPE],
                fields.EXCEPTION_MESSAGE: text(exception[fields.EXCEPTION_MESSAGE], limits.value),
                fields.EXCEPTION_STACKTRACE: redaction.text(
                    cut_middle(exception[fields.EXCEPTION_STACKTRACE], limits.body)
                ),
            }
        if extras:
            entry[fields.EXTRA] = {key: redaction.value(key, value) for key, value in extras.items()}

    mask.__name__ = "redact"
    return mask


def cap(limits: Limits) -> Step:
    """Return a step that cuts every text to its limit, with a marker that says so."""

    def apply(_: LogRecord, entry: Entry) -> None:
        entry[fields.MESSAGE] = cut(entry.get(fields.MESSAGE, ""), limits.body)
        for key in (fields.LOGGER, fields.FUNCTION, fields.MODULE, fields.FILE, fields.THREAD_NAME, fields.LEVEL):
            value = entry.get(key)
            # Nearly always short and ASCII; a name may still be anything that someone passed.
            if value is not None and not (isinstance(value, str) and value.isascii() and len(value) <= limits.value):
                entry[key] = cut(text_of(value), limits.value)
        exception = entry.get(fields.EXCEPTION)
        if exception is not None:
            exception[fields.EXCEPTION_MESSAGE] = cut(exception[fields.EXCEPTION_MESSAGE], limits.value)
            exception[fields.EXCEPTION_STACKTRACE] = cut_middle(exception[fields.EXCEPTION_STACKTRACE], limits.body)
        if fields.EXTRA in entry:
            entry[fields.EXTRA] = _capped(entry[fields.EXTRA], limits.value)

    apply.__name__ = "cap"
    return apply


def _capped(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return cut(value, limit)
    if isinstance(value, dict):
        return {key: _capped(item, limit) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_capped(item, limit) for item in value]
    return value
