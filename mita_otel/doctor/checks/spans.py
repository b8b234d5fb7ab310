"""Which path spans take, and what makes them cost more."""

from collections.abc import Iterator

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, ok


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name the path and why it is that one; nothing here is a fault, for every path makes the same telemetry."""
    process = facts.process
    if process is None or not process.ours or not process.spans:
        return
    if process.spans != "ours":
        yield ok("the SDK's own spans, for MITA_FAST_PATH is false: they cost three to four times as much")
        return
    costs = [f"each is copied for {', '.join(process.span_copies)}"] if process.span_copies else []
    if process.sampler_asked:
        costs.append(f"{process.sampler} is asked about each")
    yield ok(f"the fast path{', but ' + ' and '.join(costs) if costs else ''}")
