"""A log entry is a dict that a list of small steps fills in from what was captured of a record; here is the list."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import format_span_id, format_trace_id

from mita_otel.logs import access, fields, source, streams
from mita_otel.logs.captured import Captured
from mita_otel.logs.values import cut, cut_middle, text_of

Entry = dict[str, Any]
Step = Callable[[Captured, Entry], None]

MAX_BODY: Final = 32_768
"""Characters of a message and of a stack trace, by default."""
MAX_VALUE: Final = 8_192
"""Characters of an extra, by default: the limit that spans have for an attribute's value."""
_SLACK: Final = 4_096
"""Characters read beyond a limit, so that a secret which the limit cuts through is still recognised."""

_CALLS: Final = 4_096
"""Calls to `logging` whose names are known to be short."""

_NAMES: Final = (fields.LOGGER, fields.FUNCTION, fields.MODULE, fields.FILE, fields.THREAD_NAME, fields.LEVEL)
_names: Final[Callable[[Entry], tuple[Any, ...]]] = itemgetter(*_NAMES)

UNREADABLE: Final = "[not logged: masking failed]"
"""The message when masking failed: nothing goes out unmasked."""


class Redaction(NamedTuple):
    """The three maskings that entries go through.

    Args:
        text: masks patterns in text.
        value: masks a value by its key first, then by patterns; nested values too.
        query: masks a URL's query string.
    """

    text: Callable[[str], str]
    value: Callable[[str | None, object], object]
    query: Callable[[str], str]


class Limits(NamedTuple):
    """Characters of a body (message, stack trace) and of an extra's value; at least 256 each."""

    body: int = MAX_BODY
    value: int = MAX_VALUE


class Pipeline:
    """Runs the steps over what was captured; one that fails is counted and the others still run."""

    __slots__ = ("_faults", "_steps")

    def __init__(self, steps: Sequence[Step], faults: Counter[str]) -> None:
        self._steps = tuple(steps)
        self._faults = faults

    def __call__(self, captured: Captured) -> Entry:
        """Return the entry of a record; never raises."""
        entry: Entry = {}
        for step in self._steps:
            try:
                step(captured, entry)
            except Exception:  # noqa: BLE001 - a fault of one step costs that step's fields, never the line
                self._faults[getattr(step, "__name__", "step")] += 1
        return entry


def steps(resource: Callable[[], Resource], redaction: Redaction, limits: Limits) -> list[Step]:
    """Return the steps in their order: what happened, for whom, by whom, of which kind, then masking, then limits."""
    return [
        bind_origin(),
        bind_event,
        access.bind_access(redaction.query),
        bind_request,
        bind_service(resource),
        bind_stream,
        redact(redaction, limits),
        cap(limits),
    ]


def bind_origin() -> Step:
    """Return a step that says when, how severe, and from which line, thread and process."""
    minute: dict[int, str] = {}

    def bind(captured: Captured, entry: Entry) -> None:
        second, fraction = divmod(round(captured.created * 1_000_000), 1_000_000)
        written = minute.get(second)
        if written is None:
            if len(minute) > 60:  # noqa: PLR2004 - seconds; those of a clock that was put back, too
                minute.clear()
            written = minute[second] = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        entry[fields.TIMESTAMP] = f"{written}.{fraction:06d}Z"
        entry[fields.LEVEL] = captured.levelname
        entry[fields.LOGGER] = captured.name
        entry[fields.MODULE] = captured.module
        entry[fields.FUNCTION] = captured.funcName
        entry[fields.LINE] = captured.lineno
        entry[fields.FILE] = source.short(captured.pathname)
        entry[fields.THREAD_NAME] = captured.threadName
        entry[fields.THREAD_ID] = captured.thread
        entry[fields.PROCESS_ID] = captured.process

    bind.__name__ = "bind_origin"
    return bind


def bind_event(captured: Captured, entry: Entry) -> None:
    """Say what happened: the message, what was wrong with it, the exception, the stack, and the extras."""
    entry[fields.MESSAGE] = captured.message
    if captured.note is not None:
        entry[fields.NOTE] = captured.note
    if captured.stack is not None:
        entry[fields.STACK] = captured.stack
    if captured.exception is not None:
        entry[fields.EXCEPTION] = captured.exception
    if captured.extras is not None:
        # A copy: two destinations may be handed the same record.
        entry[fields.EXTRA] = dict(captured.extras)


def bind_request(captured: Captured, entry: Entry) -> None:
    """Name the trace, the span and the correlation id, where there is one."""
    span = captured.span
    if span.is_valid:
        ids = _written(span.trace_id, span.span_id, span.trace_flags)
        entry[fields.TRACE_ID], entry[fields.SPAN_ID], entry[fields.TRACE_FLAGS] = ids
    if captured.correlation_id is not None:
        entry[fields.CORRELATION_ID] = captured.correlation_id


@lru_cache(maxsize=256)
def _written(trace_id: int, span_id: int, flags: int) -> tuple[str, str, str]:
    """Return what names a span as text; a request has several records."""
    return format_trace_id(trace_id), format_span_id(span_id), f"{flags:02x}"


def bind_stream(captured: Captured, entry: Entry) -> None:
    """Say which stream the record belongs to; what the call says is taken out of the extras."""
    extras = entry.get(fields.EXTRA)
    wanted = extras.pop(fields.STREAM, None) if extras else None
    if wanted in streams.STREAMS:
        entry[fields.STREAM] = wanted
        return
    if wanted is not None:
        entry[fields.NOTE] = f"{fields.STREAM} takes {', '.join(streams.STREAMS)}"
    template = captured.template or captured.message
    entry[fields.STREAM] = streams.stream_of(captured.name, template[: streams.READ])


def bind_service(resource: Callable[[], Resource]) -> Step:
    """Return a step that says which service speaks; read anew when the resource changes, as it does after a fork."""
    seen: list[Resource] = []
    service: Entry = {}

    def bind(_: Captured, entry: Entry) -> None:
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

    def mask(_: Captured, entry: Entry) -> None:
        # If masking fails, nothing of the original may go out.
        message = entry.get(fields.MESSAGE, "")
        entry[fields.MESSAGE] = UNREADABLE
        exception, stack = entry.pop(fields.EXCEPTION, None), entry.pop(fields.STACK, None)
        extras = entry.pop(fields.EXTRA, None)
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
            entry[fields.EXTRA] = {redaction.text(key): redaction.value(key, value) for key, value in extras.items()}

    mask.__name__ = "redact"
    return mask


def cap(limits: Limits) -> Step:
    """Return a step that cuts every text to its limit, with a marker that says so."""
    cap_names = _names_of_calls(limits.value)

    def apply(_: Captured, entry: Entry) -> None:
        message = entry.get(fields.MESSAGE, "")
        if len(message) > limits.body:
            entry[fields.MESSAGE] = cut(message, limits.body)
        cap_names(entry)
        exception = entry.get(fields.EXCEPTION)
        if exception is not None:
            exception[fields.EXCEPTION_MESSAGE] = cut(exception[fields.EXCEPTION_MESSAGE], limits.value)
            exception[fields.EXCEPTION_STACKTRACE] = cut_middle(exception[fields.EXCEPTION_STACKTRACE], limits.body)
        if fields.EXTRA in entry:
            entry[fields.EXTRA] = _capped(entry[fields.EXTRA], limits.value)

    apply.__name__ = "cap"
    return apply


def _names_of_calls(limit: int) -> Callable[[Entry], None]:
    """Return what cuts the names in an entry; those of a call that is known to have short ones cost a look-up."""
    short: set[tuple[object, ...]] = set()

    def cap_names(entry: Entry) -> None:
        names = _names(entry)
        if names in short:
            return
        for key, value in zip(_NAMES, names, strict=True):
            # Nearly always short and ASCII; a name may still be anything that someone passed.
            if value is not None and not (isinstance(value, str) and value.isascii() and len(value) <= limit):
                entry[key] = cut(text_of(value), limit)
        if _names(entry) == names:
            if len(short) >= _CALLS:
                short.clear()
            short.add(names)

    return cap_names


def _capped(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return cut(value, limit)
    if isinstance(value, dict):
        return {key: _capped(item, limit) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_capped(item, limit) for item in value]
    return value
