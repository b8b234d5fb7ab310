"""The process, its interpreter and its event loops."""

from typing import Final

from mita_otel.metrics.catalogue.bounds import LAGS
from mita_otel.metrics.instrument import OURS, Counter, Gauge, Histogram, UpDownCounter, closed

_PROCESS: Final = "https://opentelemetry.io/docs/specs/semconv/system/process-metrics/"
_CPYTHON: Final = "https://opentelemetry.io/docs/specs/semconv/runtime/cpython-metrics/"

_GENERATION: Final = closed("cpython.gc.generation", 0, 1, 2)

CPU_TIME: Final = Counter(
    name="process.cpu.time",
    unit="s",
    description="CPU time of the process by mode.",
    source=_PROCESS,
    attributes=(closed("cpu.mode", "user", "system"),),
)
CONTEXT_SWITCHES: Final = Counter(
    name="process.context_switches",
    unit="{context_switch}",
    description="Context switches of the process.",
    source=_PROCESS,
    attributes=(closed("process.context_switch.type", "voluntary", "involuntary"),),
)
DISK_IO: Final = Counter(
    name="process.disk.io",
    unit="By",
    description="Bytes read from disks and written to them.",
    source=_PROCESS,
    attributes=(closed("disk.io.direction", "read", "write"),),
)
MEMORY_USAGE: Final = UpDownCounter(
    name="process.memory.usage", unit="By", description="Physical memory in use.", source=_PROCESS
)
MEMORY_VIRTUAL: Final = UpDownCounter(
    name="process.memory.virtual", unit="By", description="Committed virtual memory.", source=_PROCESS
)
THREAD_COUNT: Final = UpDownCounter(
    name="process.thread.count", unit="{thread}", description="Threads of the process.", source=_PROCESS
)
UNIX_FILE_DESCRIPTOR_COUNT: Final = UpDownCounter(
    name="process.unix.file_descriptor.count",
    unit="{file_descriptor}",
    description="Open file descriptors.",
    source=_PROCESS,
)
UPTIME: Final = Gauge(name="process.uptime", unit="s", description="Time since the process started.", source=_PROCESS)
GC_COLLECTIONS: Final = Counter(
    name="cpython.gc.collections",
    unit="{collection}",
    description="Garbage collections.",
    source=_CPYTHON,
    attributes=(_GENERATION,),
)
GC_COLLECTED_OBJECTS: Final = Counter(
    name="cpython.gc.collected_objects",
    unit="{object}",
    description="Objects collected.",
    source=_CPYTHON,
    attributes=(_GENERATION,),
)
GC_UNCOLLECTABLE_OBJECTS: Final = Counter(
    name="cpython.gc.uncollectable_objects",
    unit="{object}",
    description="Objects not collectable.",
    source=_CPYTHON,
    attributes=(_GENERATION,),
)
EVENT_LOOP_LAG: Final = Histogram(
    name="mita.event_loop.lag",
    unit="s",
    description="Delay of a timer of the event loop beyond its due time.",
    source=OURS,
    buckets=LAGS,
)
