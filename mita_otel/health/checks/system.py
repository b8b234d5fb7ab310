"""What is left of the host's CPU, memory and disk. Never a reason to stop sending requests: see `readiness`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from mita_otel.health.model import Check, Reading, above, below

MB: Final = 1_000_000
GB: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a host begins to be short of something. Source: observability report, section 2.1.

    Attributes:
        cpu: percent.
        memory: percent.
        memory_left: bytes.
        disk: percent.
        disk_left: bytes.
        load: processes that run or wait, for each CPU.
    """

    cpu: float = 80
    memory: float = 85
    memory_left: float = 500 * MB
    disk: float = 90
    disk_left: float = 1 * GB
    load: float = 2


def system(limits: Limits | None = None, *, name: str = "system", folder: Path | None = None) -> Check:
    """Return the check of the host.

    Args:
        limits: where it becomes degraded.
        name: of the component.
        folder: whose file system is looked at; by default the one that the process works in.
    """
    obeyed, where = limits or Limits(), str(folder or Path.cwd())
    psutil.cpu_percent()  # the first look has nothing to compare with

    async def look() -> Sequence[Reading]:
        memory, disk = psutil.virtual_memory(), psutil.disk_usage(where)
        return (
            above("cpu:utilization", psutil.cpu_percent(), obeyed.cpu, "percent"),
            above("memory:utilization", memory.percent, obeyed.memory, "percent"),
            below("memory:available", memory.available, obeyed.memory_left, "bytes"),
            above("disk:utilization", disk.percent, obeyed.disk, "percent"),
            below("disk:free", disk.free, obeyed.disk_left, "bytes"),
            above("load", psutil.getloadavg()[0], obeyed.load * (psutil.cpu_count() or 1)),
        )

    return Check(name, look, "system")
