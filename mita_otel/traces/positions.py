"""Where a span context, which is a tuple, keeps what its properties return: each property is a call."""

from typing import Final

FLAGS: Final = 3
STATE: Final = 4
IS_VALID: Final = 5
