"""Every key of a log entry, written once: as it appears in a JSON line, and its OTLP attribute where that differs."""

from typing import Final

from mita_otel import correlation
from mita_otel.logs import streams

TIMESTAMP: Final = "timestamp"
"""ISO 8601 in UTC with microseconds."""
LEVEL: Final = "level"
LOGGER: Final = "logger"
MESSAGE: Final = "message"
NOTE: Final = "log.note"
"""What was wrong with the logging call itself, for example arguments that do not fit the message."""

MODULE: Final = "module"
FUNCTION: Final = "function"
LINE: Final = "line"
FILE: Final = "file"
THREAD_NAME: Final = "thread.name"
THREAD_ID: Final = "thread.id"
PROCESS_ID: Final = "process.pid"

TRACE_ID: Final = "trace_id"
SPAN_ID: Final = "span_id"
TRACE_FLAGS: Final = "trace_flags"
CORRELATION_ID: Final = correlation.ATTRIBUTE

STREAM: Final = streams.ATTRIBUTE
"""One of application, security, audit and performance; an extra of this name chooses it."""

SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SERVICE_INSTANCE_ID: Final = "service.instance.id"
ENVIRONMENT: Final = "deployment.environment.name"
SERVICE: Final = (SERVICE_NAME, SERVICE_VERSION, SERVICE_INSTANCE_ID, ENVIRONMENT)
"""Resource attributes that each line repeats, because a line on stdout has no resource beside it."""

EXCEPTION: Final = "exception"
EXCEPTION_TYPE: Final = "type"
EXCEPTION_MESSAGE: Final = "message"
EXCEPTION_STACKTRACE: Final = "stacktrace"
STACK: Final = "stack"
"""The caller's stack, when it was asked for by `stack_info=True`."""

EXTRA: Final = "extra"
"""Holds the extras inside an entry; a JSON line lifts them to its top level."""

HTTP_METHOD: Final = "http.request.method"
HTTP_STATUS: Final = "http.response.status_code"
URL_PATH: Final = "url.path"
CLIENT_ADDRESS: Final = "client.address"
PROTOCOL_VERSION: Final = "network.protocol.version"

RESERVED: Final = frozenset(
    {
        TIMESTAMP, LEVEL, LOGGER, MESSAGE, NOTE, MODULE, FUNCTION, LINE, FILE, THREAD_NAME, THREAD_ID, PROCESS_ID,
        TRACE_ID, SPAN_ID, TRACE_FLAGS, CORRELATION_ID, STREAM, *SERVICE, EXCEPTION, STACK, EXTRA,
    }
)  # fmt: skip
"""Keys that an extra cannot take: it appears with `EXTRA_PREFIX` before its name."""

EXTRA_PREFIX: Final = "extra."

OTLP_CODE: Final = {FILE: "code.file.path", FUNCTION: "code.function.name", LINE: "code.line.number"}
OTLP_EXCEPTION: Final = {
    EXCEPTION_TYPE: "exception.type",
    EXCEPTION_MESSAGE: "exception.message",
    EXCEPTION_STACKTRACE: "exception.stacktrace",
}
OTLP_SAME: Final = (THREAD_NAME, THREAD_ID, CORRELATION_ID, STREAM, NOTE, STACK)
"""Fields whose OTLP attribute has the same name."""
