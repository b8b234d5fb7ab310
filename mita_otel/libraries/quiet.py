"""What libraries do on their own behalf, and we on ours: nothing that anyone should be told of."""

from contextvars import ContextVar
from typing import Final

quiet: Final[ContextVar[bool]] = ContextVar("mita_quiet", default=False)
"""Set while a library talks to its server on its own behalf: set-up of a connection, resets, look-up of types; and in
threads of ours that ask a database something."""
