"""People at a terminal get colours and columns, programs get whole lines."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def terminal() -> "Console | None":
    """Return what draws on the terminal, or None where stdout is none."""
    if not sys.stdout.isatty():
        return None
    from rich.console import Console  # noqa: PLC0415 - slow to import, and only a terminal needs it

    return Console(highlight=False, markup=False)
