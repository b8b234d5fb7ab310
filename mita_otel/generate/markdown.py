"""What the generated pages share."""

from typing import Final

WIDE: Final = ("---", "hide:", "  - toc", "---", "")
"""The head of a page whose tables need the room that its list of contents would take."""
