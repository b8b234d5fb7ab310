"""Series that Prometheus records for alerts, because its past cannot be asked for them.

The time of a sample that was pushed is that of the process's clock, which may be minutes ahead or behind. So it is not
compared with now: a service lives as long as the times of its samples change from one evaluation to the next.
"""

from collections.abc import Mapping
from typing import Final

from mita_otel.alerts.promql import HEARTBEAT, PROCESS, SERVICE, labels, total
from mita_otel.metrics.catalogue import health

EVERY: Final = 15
"""Seconds between two evaluations of these and of the alerts."""

AWAKE: Final = "mita_alerts:awake:bool"
STAMP: Final = "mita_alerts:stamp:seconds"
BEATS: Final = "mita_alerts:beats:sum"
HEARD: Final = "mita_alerts:heard:seconds"
REPLICAS: Final = "mita_alerts:replicas:count"

_SERVING: Final = f"{HEARTBEAT} unless on {labels(PROCESS)} {health.READY.prometheus_name} == 0"

SIGNALS: Final[Mapping[str, str]] = {
    AWAKE: "vector(1)",
    STAMP: f"max by {labels(PROCESS)} (timestamp({HEARTBEAT}))",
    BEATS: total(f"timestamp({HEARTBEAT})"),
    HEARD: f"max by {labels(SERVICE)} (timestamp({HEARTBEAT}))",
    REPLICAS: f"count by {labels(SERVICE)} ({_SERVING})",
}
"""Expressions, by the name that each is recorded as: that Prometheus evaluates at all; when a process told of itself
last, by its own clock; a number that changes with every sample of a service; when it was last heard of; how many
processes of it serve."""

_SILENCE: Final = "90s"
"""Six samples were missed."""

LIVING: Final = f"changes({BEATS}[{_SILENCE}]) > 0"
SEEN: Final = f"last_over_time({BEATS}[6h])"
"""Services that there were."""

IS_AWAKE: Final = f"on () (count_over_time({AWAKE}[3m]) >= {180 // EVERY - 1})"
"""Prometheus has evaluated rules for three minutes: what it does not see is not there."""

_PLACE: Final = "deployment_environment_name"

NOBODY: Final = (
    f"(count by ({_PLACE}) ({SEEN}) >= 2 unless on ({_PLACE}) count by ({_PLACE}) ({LIVING}) and {IS_AWAKE})"
)
"""Places of which all services fell silent: several do not end at once, telemetry's way does."""


def of_the_living(gauge: str) -> str:
    """Return a gauge's series without those of processes that have ended: their last word is believed for 5 minutes."""
    return f"({gauge} unless on {labels(PROCESS)} (changes({STAMP}[1m]) == 0))"
