"""Parameters of queries: declared once, read from requests, and described for OpenAPI."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil, floor, isfinite
from typing import Any, Final

import orjson

from mita_otel.console.reading.conditions import Condition
from mita_otel.console.store.blocks import value_text

Values = Mapping[str, Any]
"""What a request gives, by the names of the parameters; absent ones have their defaults."""

HIGHEST: Final = 2**63 - 1
_LONGEST_TEXT: Final = 4_096
_MOST_ATTRIBUTES: Final = 20
_SHOWN: Final = 200
"""Characters of a wrong value that its complaint repeats."""
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}")
_DURATION: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(ns|us|µs|μs|ms|s|m|h)")
_UNITS: Final = {"ns": 1e-3, "us": 1, "µs": 1, "μs": 1, "ms": 1e3, "s": 1e6, "m": 60e6, "h": 3600e6}
_WINDOW: Final = re.compile(r"([1-9][0-9]{0,5})(m|h|d)")
_WINDOW_UNITS: Final = {"m": 60, "h": 3_600, "d": 86_400}
_LONGEST_WINDOW: Final = 7 * 86_400


class ParameterError(Exception):
    """A parameter is wrong; the message names it, its value and what is allowed."""

    def __init__(self, name: str, value: str, allowed: str) -> None:
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
        super().__init__(f"{name}={shown}: {allowed}")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter.

    Attributes:
        name: as in the query.
        read: returns the value of a text; raises ValueError if it is none.
        allowed: what the complaint says.
        schema: of JSON Schema.
        default: the value if it is not given.
        is_required: whether it must be given.
        is_repeatable: whether it may be given more than once; its value is a list then.
    """

    name: str
    read: Callable[[str], Any]
    allowed: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    default: Any = None
    is_required: bool = False
    is_repeatable: bool = False

    def value_of(self, given: Sequence[str]) -> Any:
        """Return the value of what a request gives.

        Raises:
            ParameterError: it is wrong, or missing.
        """
        texts = [text for text in given if text]
        if not texts:
            if self.is_required:
                raise ParameterError(self.name, "", f"this parameter is required: {self.allowed}")
            return [] if self.is_repeatable else self.default
        values = [self._read(text) for text in texts]
        return values if self.is_repeatable else values[0]

    def _read(self, text: str) -> Any:
        try:
            return self.read(text)
        except ValueError:
            raise ParameterError(self.name, text, self.allowed) from None


def text(name: str, *, longest: int = _LONGEST_TEXT, default: str | None = "", is_required: bool = False) -> Parameter:
    """Declare any text."""

    def read(given: str) -> str:
        if len(given) > longest:
            raise ValueError
        return given

    schema = {"type": "string", "maxLength": longest}
    return Parameter(name, read, f"at most {longest:,} characters", schema, default, is_required)


def choice(name: str, *allowed: str, default: str = "") -> Parameter:
    """Declare one of some words."""

    def read(given: str) -> str:
        if given not in allowed:
            raise ValueError
        return given

    return Parameter(name, read, f"one of {', '.join(allowed)}", {"type": "string", "enum": list(allowed)}, default)


def flag(name: str) -> Parameter:
    """Declare true or false."""
    words = {"true": True, "1": True, "false": False, "0": False}

    def read(given: str) -> bool:
        if given not in words:
            raise ValueError
        return words[given]

    return Parameter(name, read, "true or false", {"type": "string", "enum": list(words)}, False)


def integer(name: str, low: int, high: int, *, default: int | None = None, of_what: str = "") -> Parameter:
    """Declare a whole number between two, both included."""

    def read(given: str) -> int:
        if not _INTEGER.fullmatch(given) or not low <= int(given) <= high:
            raise ValueError
        return int(given)

    allowed = f"a whole number{of_what} from {low} to {high}"
    return Parameter(name, read, allowed, {"type": "integer", "minimum": low, "maximum": high}, default)


def moment(name: str) -> Parameter:
    """Declare a time in microseconds since the epoch."""
    return integer(name, 0, HIGHEST, of_what=" of microseconds since the epoch")


def microseconds(given: str) -> float:
    """Return a duration as Go writes it, in microseconds.

    Raises:
        ValueError: it is none.
    """
    if given == "0":
        return 0.0
    parts = _DURATION.findall(given)
    if not parts or "".join(number + unit for number, unit in parts) != given:
        raise ValueError
    return float(sum(float(number) * _UNITS[unit] for number, unit in parts))


def duration(name: str, *, is_upper: bool = False) -> Parameter:
    """Declare a duration; it is rounded to whole microseconds, an upper bound down and a lower one up."""

    def read(given: str) -> int:
        value = microseconds(given)
        return min(floor(value) if is_upper else ceil(value), HIGHEST)

    return Parameter(name, read, "a duration such as 250us, 100ms, 1.5s or 2m", {"type": "string", "example": "1.5s"})


def window(name: str) -> Parameter:
    """Declare a stretch of time up to now; the value is in seconds."""

    def read(given: str) -> int:
        found = _WINDOW.fullmatch(given)
        seconds = int(found[1]) * _WINDOW_UNITS[found[2]] if found else 0
        if not 0 < seconds <= _LONGEST_WINDOW:
            raise ValueError
        return seconds

    schema = {"type": "string", "pattern": "^[1-9][0-9]{0,5}[mhd]$", "example": "15m"}
    return Parameter(name, read, "a time such as 15m, 6h or 7d, 7 days at most", schema, 900)


def timestamp(name: str, *, is_required: bool = False) -> Parameter:
    """Declare a time by RFC 3339; the value is in microseconds since the epoch."""

    def read(given: str) -> int:
        moment_ = datetime.fromisoformat(given)
        if moment_.tzinfo is None or "T" not in given.upper():
            raise ValueError
        since = moment_ - datetime.fromtimestamp(0, UTC)
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds

    schema = {"type": "string", "format": "date-time"}
    return Parameter(name, read, "a time by RFC 3339, as 2026-01-31T23:59:59Z", schema, is_required=is_required)


def identifier(name: str, digits: int) -> Parameter:
    """Declare the id of a trace or a span; the value is its bytes."""

    def read(given: str) -> bytes:
        return identifier_of(given, digits)

    schema = {"type": "string", "pattern": f"^[0-9a-fA-F]{{1,{digits}}}$"}
    return Parameter(name, read, f"1 to {digits} hexadecimal digits", schema, b"")


def identifier_of(given: str, digits: int) -> bytes:
    """Return the bytes of an id; leading zeros may be left out, as in Jaeger.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(rf"[0-9a-fA-F]{{1,{digits}}}", given):
        raise ValueError
    return bytes.fromhex(given.zfill(digits))


def attributes(name: str, *, is_repeatable: bool = False) -> Parameter:
    """Declare attributes as a JSON object of texts, numbers and truth values."""

    def read(given: str) -> tuple[Condition, ...]:
        found = orjson.loads(given)  # its error is a ValueError
        if not isinstance(found, dict) or len(found) > _MOST_ATTRIBUTES or len(given) > _LONGEST_TEXT:
            raise ValueError
        return tuple(Condition(key, _scalar_text(value)) for key, value in found.items())

    allowed = f'a JSON object such as {{"http.response.status_code":"500"}}, of at most {_MOST_ATTRIBUTES} attributes'
    return Parameter(name, read, allowed, {"type": "string", "example": '{"k":"v"}'}, (), is_repeatable=is_repeatable)


def _scalar_text(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)) or (isinstance(value, float) and not isfinite(value)):
        raise ValueError
    return value_text(value)


def pair(name: str) -> Parameter:
    """Declare an attribute as `key:value`, any number of times."""

    def read(given: str) -> Condition:
        key, colon, value = given.partition(":")
        if not colon or len(given) > _LONGEST_TEXT:
            raise ValueError
        return Condition(key, value)

    return Parameter(name, read, "key:value", {"type": "string", "example": "k:v"}, is_repeatable=True)


def shares(name: str, default: tuple[float, ...]) -> Parameter:
    """Declare quantiles, separated by commas."""

    def read(given: str) -> tuple[float, ...]:
        found = tuple(float(part) for part in given.split(","))
        if len(found) > 10 or not all(0 <= share <= 1 for share in found):  # noqa: PLR2004 - as the complaint says
            raise ValueError
        return tuple(dict.fromkeys(found))

    return Parameter(
        name, read, "at most 10 numbers from 0 to 1, separated by commas", {"type": "string", "example": "0.5"}, default
    )
