"""What could not be looked at."""

from collections.abc import Iterator

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, error


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name each thing that could not be found out, and why."""
    for what, reason in facts.unknown.items():
        yield error(f"{what} could not be looked at: {reason}", "mend the other findings first, and ask again")
