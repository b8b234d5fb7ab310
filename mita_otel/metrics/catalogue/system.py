"""The host, told by one process of each service on it. Source: observability report, sections 2.1 and 2.4."""

from typing import Final

from mita_otel.metrics.instrument import OURS, Gauge, closed

CPU_USAGE: Final = Gauge(
    name="mita.cpu.usage", unit="%", description="Time that the host's CPUs were busy since the last look.", source=OURS
)
CPU_COUNT: Final = Gauge(name="mita.cpu.count", unit="{cpu}", description="CPUs of the host.", source=OURS)
LOAD_AVERAGE: Final = Gauge(
    name="mita.load_average",
    unit="",
    description="Processes that run or wait to, averaged over the period.",
    source=OURS,
    attributes=(closed("period", "1m", "5m", "15m"),),
)
MEMORY_USAGE_PERCENT: Final = Gauge(
    name="mita.memory.usage.percent", unit="%", description="Memory of the host that is not available.", source=OURS
)
MEMORY_USAGE: Final = Gauge(
    name="mita.memory.usage", unit="By", description="Memory of the host that is in use.", source=OURS
)
MEMORY_AVAILABLE: Final = Gauge(
    name="mita.memory.available",
    unit="By",
    description="Memory of the host that can be had without swapping.",
    source=OURS,
)
DISK_USAGE: Final = Gauge(
    name="mita.disk.usage", unit="%", description="Use of the file system that the service works in.", source=OURS
)
DISK_FREE: Final = Gauge(
    name="mita.disk.free_gb",
    unit="",
    description="Space left in the file system that the service works in, in units of 10^9 bytes.",
    source=OURS,
)
