"""An entry as text: one JSON line for machines, or a short line for a terminal."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

import orjson

from mita_otel.logs import fields

Render = Callable[[dict[str, Any]], bytes]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_SHOWN: Final = (fields.TIMESTAMP, fields.LEVEL, fields.LOGGER, fields.MESSAGE)


def render_json(entry: dict[str, Any]) -> bytes:
    """Return one line of JSON, extras lifted to the top level; one that takes a field's name gets a prefix."""
    extras = entry.get(fields.EXTRA)
    if extras:
        line = {key: value for key, value in entry.items() if key != fields.EXTRA}
        for key, value in extras.items():
            line[fields.EXTRA_PREFIX + key if key in fields.RESERVED else key] = value
    else:
        line = entry
    try:
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
    except (TypeError, ValueError):
        # A value that is none of ours, put there by masking: slower, but the line is not lost.
        return (json.dumps(line, default=str, skipkeys=True) + "\n").encode("ascii")


def render_text(entry: dict[str, Any], *, dated: bool = False) -> bytes:
    """Return a line for a reader: time, level, logger, message, extras; then the stack trace.

    Args:
        entry: what to write.
        dated: with the day, as in a file; at a terminal it is today.
    """
    time, level, logger, message = (str(entry.get(key, "")) for key in _SHOWN)
    parts = [f"{time if dated else time[11:23]} {level:<8} {logger}  {_shown(message)}"]
    parts.extend(f"{key}={_shown(str(value))}" for key, value in entry.get(fields.EXTRA, {}).items())
    parts.extend(f"{key}={entry[key]}" for key in (fields.NOTE, fields.TRACE_ID, fields.CORRELATION_ID) if key in entry)
    lines = [" ".join(parts)]
    if fields.EXCEPTION in entry:
        lines.append(_safe(entry[fields.EXCEPTION][fields.EXCEPTION_STACKTRACE]).rstrip())
    if fields.STACK in entry:
        lines.append(_safe(entry[fields.STACK]).rstrip())
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def _shown(text: str) -> str:
    # A newline in a message could forge the next line.
    return _safe(text).replace("\n", "\\n")


def _safe(text: str) -> str:
    """Return text without the control characters that move a terminal's cursor."""
    return _CONTROL.sub(lambda match: repr(match.group())[1:-1], text)
