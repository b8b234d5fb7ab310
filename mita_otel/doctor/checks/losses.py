"""What a running service has lost, how full its queues are, and which faults it has swallowed."""

from collections.abc import Iterator, Mapping
from typing import Final

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, error, ok, warning

_HALF, _NEARLY_FULL = 0.5, 0.9

_CAUSES: Final[Mapping[str, str]] = {
    "dropped_queue_full": "raise OTEL_{processor}_MAX_QUEUE_SIZE, or give the receiver more room",
    "dropped_encode_error": "look at the log of mita_otel.export: something could not be encoded or masked",
    "dropped_shutdown": "raise MITA_SHUTDOWN_TIMEOUT",
    "refused": "look at the endpoint check and the receiver's log",
    "rejected": "look at the receiver's limits and log",
}
_PROCESSORS: Final[Mapping[str, str]] = {"traces": "BSP", "logs": "BLRP"}


def judge_losses(facts: Facts) -> Iterator[Judgement]:
    """Count what was lost since the service began, by cause."""
    if facts.live is None:
        return
    for queue in facts.live.queues:
        lost = {cause: count for cause, count in queue.lost.items() if count}
        if not lost:
            yield ok(f"{queue.signal}: none of {queue.accepted} lost")
            continue
        told = ", ".join(f"{count} {cause.replace('_', ' ')}" for cause, count in lost.items())
        worst = max(lost, key=lambda cause: lost[cause])
        made = warning if queue.accepted else error
        yield made(
            f"{queue.signal}: {sum(lost.values())} lost and {queue.accepted} accepted since the start ({told})",
            _CAUSES[worst].format(processor=_PROCESSORS.get(queue.signal, "BSP")),
        )
    places = facts.live.log_lines
    if places:
        yield warning(
            f"log lines: {sum(places.values())} lost since the start "
            f"({', '.join(f'{count} {place}' for place, count in places.items())})",
            "read standard output, or make room where MITA_LOG_DIRECTORY is; the log of mita_otel.logs.losses says why",
        )


def judge_queues(facts: Facts) -> Iterator[Judgement]:
    """Say how full each queue is."""
    if facts.live is None:
        return
    for queue in facts.live.queues:
        if not queue.capacity:
            continue
        fill = queue.queued / queue.capacity
        sentence = f"{queue.signal}: {queue.queued} of {queue.capacity} places taken"
        if fill < _HALF:
            yield ok(sentence)
            continue
        made = error if fill >= _NEARLY_FULL else warning
        setting = f"OTEL_{_PROCESSORS.get(queue.signal, 'BSP')}_MAX_QUEUE_SIZE"
        yield made(sentence, f"look at the endpoint check: the receiver takes too little; {setting} buys time")


def judge_faults(facts: Facts) -> Iterator[Judgement]:
    """Count the faults of the instrumentation that the application never saw."""
    if facts.live is None:
        return
    faults = {library: count for library, count in facts.live.faults.items() if count}
    for library, count in faults.items():
        yield warning(
            f"the instrumentation of {library} failed {count} times; the application did not notice",
            "look for a value that cannot be printed, or a handler that raises, in what the application logs"
            if library.startswith("logging")
            else f"look for 'telemetry of {library} failed' in the log, and report it with its traceback",
        )
    if not faults:
        yield ok("no fault was swallowed")
