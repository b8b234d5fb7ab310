"""Which path our own measurements take, and what makes them cost more."""

from collections.abc import Iterator

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, ok


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name the path and why it is that one; nothing here is a fault, for every path makes the same metrics."""
    process = facts.process
    if process is None or not process.ours:
        return
    why = f", but the SDK adds up for {' and '.join(process.slow_metrics)}" if process.slow_metrics else ""
    yield ok(f"the fast path{why}")
