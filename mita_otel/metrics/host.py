"""What is true of the whole host, reported by one process of a service on it.

psutil is loaded by who reads first: a start need not wait for it.
"""
# ruff: noqa: PLC0415 - see above

import contextlib
import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

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
            import psutil

            if not lease.held():
                return ()
            with contextlib.suppress(psutil.Error, OSError):
                return list(read())
            return ()

        return callback

    here = str(Path.cwd())
    system.CPU_USAGE.observe(meter, told(_cpu_usage))
    system.CPU_COUNT.observe(meter, told(_cpu_count))
    system.LOAD_AVERAGE.observe(meter, told(_load))
    system.MEMORY_USAGE_PERCENT.observe(meter, told(_memory_usage_percent))
    system.MEMORY_USAGE.observe(meter, told(_memory_usage))
    system.MEMORY_AVAILABLE.observe(meter, told(_memory_available))
    system.DISK_USAGE.observe(meter, told(lambda: _disk_usage(here)))
    system.DISK_FREE.observe(meter, told(lambda: _disk_free(here)))


def _cpu_usage() -> Iterable[Observation]:
    import psutil

    return [Observation(psutil.cpu_percent())]


def _cpu_count() -> Iterable[Observation]:
    import psutil

    return [Observation(psutil.cpu_count() or 1)]


def _load() -> Iterable[Observation]:
    import psutil

    periods = zip(("1m", "5m", "15m"), psutil.getloadavg(), strict=True)
    return [Observation(load, {"period": period}) for period, load in periods]


def _memory_usage_percent() -> Iterable[Observation]:
    import psutil

    return [Observation(psutil.virtual_memory().percent)]


def _memory_usage() -> Iterable[Observation]:
    import psutil

    return [Observation(psutil.virtual_memory().used)]


def _memory_available() -> Iterable[Observation]:
    import psutil

    return [Observation(psutil.virtual_memory().available)]


def _disk_usage(folder: str) -> Iterable[Observation]:
    import psutil

    return [Observation(psutil.disk_usage(folder).percent)]


def _disk_free(folder: str) -> Iterable[Observation]:
    import psutil

    return [Observation(psutil.disk_usage(folder).free / _GB)]
