"""The audit log. Source: observability report, section 1.2; PCI DSS 4.0.1, requirement 10.7."""

from typing import Final

from mita_otel.metrics.instrument import OURS, Counter, Gauge, UpDownCounter, closed

EVENTS: Final = Counter(
    name="mita.audit.events",
    unit="{event}",
    description="Audit events by what became of them: queued is acknowledged, written is in the database, spooled was"
    " kept on disk while the database was behind.",
    source=OURS,
    attributes=(closed("status", "queued", "spooled", "written", "repeated", "recovered", "dropped"),),
)
FAILURES: Final = Counter(
    name="mita.audit.failures",
    unit="{failure}",
    description="Failures of the audit log itself: each of them is to be looked into.",
    source=OURS,
    attributes=(
        closed("reason", "database", "journal", "queue_full", "damaged", "partitions", "not_running", "fault"),
    ),
)
WAITING: Final = UpDownCounter(
    name="mita.audit.waiting",
    unit="{event}",
    description="Audit events that are acknowledged and not in the database yet.",
    source=OURS,
)
BEHIND: Final = Gauge(
    name="mita.audit.behind",
    unit="s",
    description="For how long the database has not had every acknowledged audit event; 0 if it has them all.",
    source=OURS,
)
JOURNAL_SIZE: Final = UpDownCounter(
    name="mita.audit.journal.size",
    unit="By",
    description="Bytes of the audit log's journal on disk.",
    source=OURS,
)
