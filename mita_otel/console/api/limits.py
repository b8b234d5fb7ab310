"""What the console was told to keep; its status repeats it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept: `size` in bytes, `age` in seconds; None where it is not known."""

    size: int | None = None
    age: int | None = None
