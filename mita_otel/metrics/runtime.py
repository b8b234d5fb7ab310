"""Process and Python runtime metrics, read when they are exported."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

import psutil
from opentelemetry.metrics import CallbackOptions, MeterProvider, Observation

from mita_otel.metrics.catalogue import process

METER: Final = "mita_otel.metrics.runtime"
"""A process that measured nothing but itself has nothing worth waiting for at its exit."""

# As texts: a start lets psutil be loaded by who asks for something of it.
Reading: TypeAlias = "Callable[[psutil.Process], Iterable[Observation]]"


def observe(provider: MeterProvider) -> None:
    """Register the instruments of the semantic conventions for processes and CPython."""
    meter = provider.get_meter(METER)
    process.CPU_TIME.observe(meter, _guarded(_cpu_time))
    process.CONTEXT_SWITCHES.observe(meter, _guarded(_switches))
    process.DISK_IO.observe(meter, _guarded(_disk_io))
    process.MEMORY_USAGE.observe(meter, _guarded(_memory))
    process.MEMORY_VIRTUAL.observe(meter, _guarded(_virtual_memory))
    process.THREAD_COUNT.observe(meter, _guarded(_threads))
    process.UNIX_FILE_DESCRIPTOR_COUNT.observe(meter, _guarded(_descriptors))
    process.UPTIME.observe(meter, _guarded(_uptime))
    process.GC_COLLECTIONS.observe(meter, _collections("collections"))
    process.GC_COLLECTED_OBJECTS.observe(meter, _collections("collected"))
    process.GC_UNCOLLECTABLE_OBJECTS.observe(meter, _collections("uncollectable"))


class _Process:
    """The psutil handle of this process, made again after a fork."""

    __slots__ = ("_handle", "_pid")

    def __init__(self) -> None:
        self._pid = -1
        self._handle: psutil.Process | None = None

    def get(self) -> psutil.Process:
        if self._handle is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._handle = psutil.Process(self._pid)
        return self._handle


_process: Final = _Process()


def _guarded(read: Reading) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def callback(_: CallbackOptions) -> Iterable[Observation]:
        try:
            return list(read(_process.get()))
        except (psutil.Error, OSError):
            return ()

    return callback


def _cpu_time(process: psutil.Process) -> Iterable[Observation]:
    times = process.cpu_times()
    return Observation(times.user, {"cpu.mode": "user"}), Observation(times.system, {"cpu.mode": "system"})


def _switches(process: psutil.Process) -> Iterable[Observation]:
    switches = process.num_ctx_switches()
    kind = "process.context_switch.type"
    return (
        Observation(switches.voluntary, {kind: "voluntary"}),
        Observation(switches.involuntary, {kind: "involuntary"}),
    )


def _disk_io(process: psutil.Process) -> Iterable[Observation]:
    # Not on every system, and a hardened kernel refuses it.
    count = getattr(process, "io_counters", None)
    if count is None:
        return ()
    counted = count()
    direction = "disk.io.direction"
    return (
        Observation(counted.read_bytes, {direction: "read"}),
        Observation(counted.write_bytes, {direction: "write"}),
    )


def _memory(process: psutil.Process) -> Iterable[Observation]:
    return (Observation(process.memory_info().rss),)


def _virtual_memory(process: psutil.Process) -> Iterable[Observation]:
    return (Observation(process.memory_info().vms),)


def _threads(process: psutil.Process) -> Iterable[Observation]:
    return (Observation(process.num_threads()),)


def _descriptors(process: psutil.Process) -> Iterable[Observation]:
    return (Observation(process.num_fds()),)


def _uptime(process: psutil.Process) -> Iterable[Observation]:
    return (Observation(time.time() - process.create_time()),)


def _collections(key: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def callback(_: CallbackOptions) -> Iterable[Observation]:
        return [
            Observation(generation[key], {"cpython.gc.generation": number})
            for number, generation in enumerate(gc.get_stats())
        ]

    return callback
