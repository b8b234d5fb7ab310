"""What is told of one error to who looks after the service."""

from typing import Any

from mita_otel.errors.groups import Group, Occurrence


def shown(occurrence: Occurrence, group: Group, now: float, traces: str, version: str) -> dict[str, Any]:
    """Return an error, and its group with links to its newest traces.

    Args:
        occurrence: the error that was asked for.
        group: of its origin.
        now: seconds since the epoch.
        traces: beginning of a trace's address, to which its id is added.
        version: of the service that runs now.
    """
    return {
        "error_id": occurrence.error_id,
        "code": occurrence.code,
        "type": occurrence.type,
        "category": occurrence.kind.category.value,
        "severity": occurrence.kind.severity.value,
        "at": occurrence.at,
        "route": occurrence.route,
        "trace": _link(traces, occurrence.trace_id),
        "group": {
            "fingerprint": occurrence.fingerprint,
            "severity": group.severity.value,
            "count": group.count,
            "first_seen": group.first.at,
            "last_seen": group.last.at,
            "first_seen_in_version": group.first.version,
            "new_in_this_version": group.first.version == version,
            "trend": group.trend(now),
            "per_minute": group.per_minute(now),
            "traces": [_link(traces, trace_id) for trace_id in reversed(group.traces)],
        },
    }


def _link(traces: str, trace_id: str) -> str | None:
    return f"{traces}{trace_id}" if trace_id else None
