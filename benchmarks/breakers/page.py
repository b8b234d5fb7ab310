"""Puts tables into the documentation, between the comments that wait for them."""

import re
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "circuit-breakers.md"


def write(name: str, table: str, page: Path = PAGE) -> None:
    """Replace the table of a name.

    Raises:
        LookupError: the page has no place for it.
    """
    begin, end = f"<!-- {name} -->", "<!-- end -->"
    text, count = re.subn(
        f"{re.escape(begin)}.*?{end}",
        lambda _: f"{begin}\n\n{table}\n\n{end}",
        page.read_text(),
        count=1,
        flags=re.DOTALL,
    )
    if not count:
        raise LookupError(f"{page} has no {begin}")
    page.write_text(text)
