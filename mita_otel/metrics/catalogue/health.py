"""Health. Source: observability report, sections 2.1, 2.2 and 2.4."""

from typing import Final

from mita_otel.metrics.instrument import OURS, Counter, Gauge, Histogram, bounded, closed

_CHECK: Final = bounded("check", "health checks that the service's code names, 32 at most", at_most=32)
_SERVICE: Final = bounded("service", "as check", at_most=32)

STATUS: Final = Gauge(
    name="mita.health.status",
    unit="",
    description="How well the service is: 1 healthy, 0.66 degraded, 0.33 critical, 0 unhealthy.",
    source=OURS,
)
SERVICE_HEALTH: Final = Gauge(
    name="mita.service.health",
    unit="",
    description="How well what the service depends on is, as the status.",
    source=OURS,
    attributes=(_SERVICE,),
)
SERVICE_RESPONSE_TIME: Final = Gauge(
    name="mita.service.response_time_ms",
    unit="",
    description="Milliseconds that the last look at it took.",
    source=OURS,
    attributes=(_SERVICE,),
)
CHECK: Final = Gauge(
    name="mita.health.check",
    unit="",
    description="Is 1 for the level that a check found last, 0 for the others.",
    source=OURS,
    attributes=(_CHECK, closed("status", "healthy", "degraded", "critical", "unhealthy")),
)
CHECK_FAILURES: Final = Counter(
    name="mita.health.check.failures",
    unit="{check}",
    description="Looks that found something unhealthy.",
    source=OURS,
    attributes=(_CHECK,),
)
CHECK_DURATION: Final = Histogram(
    name="mita.health.check.duration",
    unit="s",
    description="Time that a look took.",
    source=OURS,
    attributes=(_CHECK,),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5),
)
READY: Final = Gauge(
    name="mita.health.ready", unit="", description="Is 1 while the process says that it is ready, else 0.", source=OURS
)
