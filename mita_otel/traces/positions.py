"""Where a span context, which is a tuple, keeps what its properties return: each property is a call."""

from typing import Final

IS_VALID: Final = 5
