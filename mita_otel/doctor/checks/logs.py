"""Which path log records take to OTLP, and why it is that one."""

from collections.abc import Iterator

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, ok


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name the path; nothing here is a fault, for either makes the same records."""
    process = facts.process
    if process is None or not process.ours:
        return
    if process.logs == "direct":
        yield ok("log records are encoded directly")
    elif process.logs == "sdk":
        why = "a processor was added" if facts.settings.fast_path else "MITA_FAST_PATH is false"
        yield ok(f"log records go by the SDK's logger, for {why}: the writer's part costs twice as much")
