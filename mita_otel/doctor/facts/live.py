"""What only a running service knows: its queues, its losses, its swallowed faults."""

from mita_otel import bootstrap
from mita_otel.doctor.facts.model import Live, Queue
from mita_otel.exporters import Delivery
from mita_otel.libraries.faults import swallowed

_CAUSES = ("dropped_queue_full", "dropped_encode_error", "dropped_shutdown", "refused", "rejected")


def read_live() -> Live | None:
    """Read the counts of this moment; None where the distribution does not run."""
    running = bootstrap.running()
    if running is None:
        return None
    in_the_log = {f"logging ({place})": count for place, count in running.logs.faults.copy().items()}
    return Live(
        queues=tuple(_queue(delivery) for delivery in running.deliveries),
        faults={**swallowed.copy(), **in_the_log},
        log_lines=running.logs.losses.by_place(),
    )


def _queue(delivery: Delivery) -> Queue:
    counts = delivery.statistics()
    return Queue(
        signal=delivery.signal,
        capacity=delivery.capacity,
        queued=counts.queued,
        accepted=counts.accepted,
        lost={cause: getattr(counts, cause) for cause in _CAUSES},
        retries=counts.retries,
    )
