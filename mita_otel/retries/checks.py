"""Values of policies, refused with the field's name if they are nonsense."""

from math import isfinite


def number(name: str, value: object, *, most: float, least: float) -> None:
    """Check a number.

    Raises:
        ValueError: it is none, or not between `least` and `most`.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not isinstance(value, int | float) or not isfinite(value) or not least <= value <= most:
        raise ValueError(f"{name}={value!r} is not allowed: a number from {least:g} to {most:g}")


def whole(name: str, value: object, *, most: int, least: int = 1) -> None:
    """Check a whole number.

    Raises:
        ValueError: it is none, or not between `least` and `most`.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name}={value!r} is not allowed: a whole number from {least} to {most}")
