"""The one way to write a value as JSON, so that whoever hashes it gets the same: RFC 8785 (JCS).

The SDK's and orjson's forms differ from it in the order of keys beyond the basic plane and in numbers such as 1e16.
Integers that a double cannot hold are refused by the RFC; `plain` writes them as text before they come here.
"""

import math
from collections.abc import Callable
from json import encoder
from typing import Any, Final

_text: Final[Callable[[str], str]] = encoder.encode_basestring
_WORDS: Final = {None: "null", True: "true", False: "false"}
_SAFE: Final = 2**53
_PLAIN_EXPONENTS: Final = range(-6, 21)
"""Powers of ten of the leading digit that ECMAScript writes without an exponent."""


def canonical(value: Any) -> str:
    """Return a value of None, bool, int, float, str, list and dict as canonical JSON.

    Raises:
        ValueError: a number is not finite, or an integer beyond 2**53.
        TypeError: another type, or a key that is not text.
    """
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (int, float)):
        return _integer(value) if isinstance(value, int) else _float(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{_text(key)}:{canonical(value[key])}" for key in _in_order(value)]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([canonical(item) for item in value]) + "]"
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _in_order(mapping: dict[str, Any]) -> list[str]:
    # By UTF-16 code units, which for ASCII is Python's own order.
    if all(map(str.isascii, mapping)):
        return sorted(mapping)
    return sorted(mapping, key=lambda key: key.encode("utf-16-be"))


def _integer(value: int) -> str:
    if not -_SAFE <= value <= _SAFE:
        raise ValueError("an integer beyond 2**53 has no canonical form")
    return int.__repr__(value)


def _float(value: float) -> str:
    """Write a double as ECMAScript does: the shortest digits that read back as it (ECMA-262, Number::toString)."""
    if not math.isfinite(value):
        raise ValueError("a number that is not finite has no canonical form")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{float.__repr__(abs(value))}e0".partition("e")
    whole, _, fraction = mantissa.partition(".")
    power = int(exponent.removesuffix("e0")) + len(whole) - 1
    digits = whole + fraction
    stripped = digits.lstrip("0")
    power -= len(digits) - len(stripped)
    return sign + _placed(stripped.rstrip("0"), power)


def _placed(digits: str, power: int) -> str:
    """Place the point: `digits` are d1 d2 ..., worth d1.d2... times ten to `power`."""
    if power not in _PLAIN_EXPONENTS:
        rest = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{digits[0]}{rest}e{'+' if power > 0 else '-'}{abs(power)}"
    if power < 0:
        return f"0.{'0' * (-power - 1)}{digits}"
    if len(digits) <= power + 1:
        return digits + "0" * (power + 1 - len(digits))
    return f"{digits[: power + 1]}.{digits[power + 1 :]}"
