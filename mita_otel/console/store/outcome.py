"""What became of the items of a request."""

from dataclasses import dataclass


@dataclass(slots=True)
class Outcome:
    """How many items were written and how many refused, and why the first of those was."""

    accepted: int = 0
    refused: int = 0
    reason: str = ""

    def refuse(self, reason: str, count: int = 1) -> None:
        """Note that items are refused."""
        self.refused += count
        self.reason = self.reason or reason
