"""What is true of the whole host, reported by one process of a service on it."""

import contextlib
import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import psutil
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from mita_otel.metrics.catalogue import system
from mita_otel.metrics.runtime import METER

_GB: Final = 1e9


class HostLease:
    """Held by one process of a service on a host, until that process ends.

    It is a name in Linux's abstract socket namespace: bound by one process at a time, freed by the kernel however that
    process ends, and no file. A container has a namespace of its own and so reports for itself. Where there is no such
    namespace every process holds the lease, and dashboards take the maximum.

    Args:
        service: whose processes share the lease.
    """

    __slots__ = ("_name", "_socket")

    def __init__(self, service: str) -> None:
        digest = hashlib.blake2b(service.encode(), digest_size=12).hexdigest()
        self._name = f"\0mita-otel-host-{digest}"
        self._socket: socket.socket | None = None
        os.register_at_fork(after_in_child=self.release)

    def held(self) -> bool:
        """Say whether this process holds the lease, and take it if it is free."""
        if sys.platform != "linux" or self._socket is not None:
            return True
        candidate = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            candidate.bind(self._name)
        except OSError:
            candidate.close()
            return False
        self._socket = candidate
        return True

    def release(self) -> None:
        """Let go of this process's hold; after a fork the parent keeps its own."""
        held, self._socket = self._socket, None
        if held is not None:
            held.close()


def observe(provider: MeterProvider, lease: HostLease) -> None:
    """Register the gauges of the host, which tell nothing while another process holds the lease."""
    meter = provider.get_meter(METER)

    def told(read: Callable[[], Iterable[Observation]]) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def callback(_: CallbackOptions) -> Iterable[Observation]:
            if not lease.held():
                return ()
            with contextlib.suppress(psutil.Error, OSError):
                return list(read())
            return ()

        return callback

    here = str(Path.cwd())
    usage = CpuUsage()
    system.CPU_USAGE.observe(meter, told(lambda: [Observation(usage.look())]))
    system.CPU_COUNT.observe(meter, told(lambda: [Observation(psutil.cpu_count() or 1)]))
    system.LOAD_AVERAGE.observe(meter, told(_load))
    system.MEMORY_USAGE_PERCENT.observe(meter, told(lambda: [Observation(psutil.virtual_memory().percent)]))
    system.MEMORY_USAGE.observe(meter, told(lambda: [Observation(psutil.virtual_memory().used)]))
    system.MEMORY_AVAILABLE.observe(meter, told(lambda: [Observation(psutil.virtual_memory().available)]))
    system.DISK_USAGE.observe(meter, told(lambda: [Observation(psutil.disk_usage(here).percent)]))
    system.DISK_FREE.observe(meter, told(lambda: [Observation(psutil.disk_usage(here).free / _GB)]))


class CpuUsage:
    """How busy the host's cores are between two looks, whoever looks.

    `psutil.cpu_percent` remembers for each thread when it looked: one that looks for the first time, as the last
    collection and those of a Prometheus server do, would be told 0.
    """

    __slots__ = ("_busy", "_total", "_usage")

    def __init__(self) -> None:
        self._busy = self._total = self._usage = 0.0

    def look(self) -> float:
        """Return the percentage, 0 to 100, since the last look; the first time since the host started, as top does.

        A look at once after another returns the same: the kernel counts hundredths of a second.
        """
        times = psutil.cpu_times()
        # Linux has the time of guests in that of its user as well, and waits for disks apart from idle time.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        busy = total - times.idle - getattr(times, "iowait", 0.0)
        if total > self._total:
            # Counters of single cores may go back a little.
            self._usage = min(max(100 * (busy - self._busy) / (total - self._total), 0.0), 100.0)
            self._busy, self._total = busy, total
        return self._usage


def _load() -> Iterable[Observation]:
    periods = zip(("1m", "5m", "15m"), psutil.getloadavg(), strict=True)
    return [Observation(load, {"period": period}) for period, load in periods]
