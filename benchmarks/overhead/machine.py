"""The cores of this machine and the clocks of its processes: what everything is measured with."""

import contextlib
import math
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

_LOOPS: Final = 1_500_000
"""Turns of the loop that calibrates a core: some 30 ms, far above the clock's resolution, far below a run."""
CALM: Final = 1.25
"""Times the fastest calibration: runs on a calm machine stay below it, a busy host doubles it."""
_PAUSE: Final = 0.2
_NICE: Final = -15
_SCHEDULED: Final = 2
"""The clock that counts the time on a core. Source: Linux, include/linux/posix-timers.h, CPUCLOCK_SCHED."""


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the server, and the core of everything else; the same where there is only one."""

    server: int
    rest: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How fast a core is now.

    Attributes:
        cpu_ms: time on the core of a fixed piece of work, milliseconds; the median of three.
        busy: wall time divided by that; above 1 somebody else uses the core.
    """

    cpu_ms: float
    busy: float


def commit() -> str:
    """Return which commit this checkout is, with `-dirty` where files differ from it; "unknown" outside of one."""
    asked = ("git", "describe", "--always", "--dirty", "--exclude=*")
    try:
        done = subprocess.run(asked, cwd=Path(__file__).parent, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def cores() -> Cores:
    """Return the first and the last core this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[-1])


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Run on one core within the block; a process that is started in there stays on it."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def first() -> Iterator[None]:
    """Let this process and what it starts in the block go before others on the machine, where the user may decide that.

    All of them alike: a server that went before its own exporters would drop what they have to deliver.
    """
    before = niceness()
    _reorder(_NICE)
    try:
        yield
    finally:
        _reorder(before)


def _reorder(nice: int) -> None:
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        # Between sessions it is the session's place that counts. Source: sched(7), "The autogroup feature".
        Path("/proc/self/autogroup").write_text(str(nice))


def niceness() -> int:
    """Return this process's place in the order, between -20 (first) and 19."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def calibrate(core: int) -> Calibration:
    """Time a fixed loop of pure Python on a core."""
    with on_core(core):
        timed = [_time_loop() for _ in range(3)]
    return Calibration(
        cpu_ms=1000 * statistics.median(cpu for cpu, _ in timed),
        busy=sum(wall for _, wall in timed) / sum(cpu for cpu, _ in timed),
    )


class Calm:
    """Waits until a core is nearly as fast as it was at its best.

    A core of a virtual machine may take twice the time for the same for seconds, while others are busy on its host.

    Args:
        core: that is waited for.
        patience: seconds after which what there is must do.
        calibration: says how fast the core is.
    """

    def __init__(
        self, core: int, *, patience: float = 5.0, calibration: Callable[[int], Calibration] = calibrate
    ) -> None:
        self._core = core
        self._patience = patience
        self._calibration = calibration
        self._fastest = math.inf

    def wait(self) -> Calibration:
        """Return how fast the core is now."""
        deadline = time.monotonic() + self._patience
        while True:
            found = self._calibration(self._core)
            self._fastest = min(self._fastest, found.cpu_ms)
            if found.cpu_ms <= CALM * self._fastest or time.monotonic() >= deadline:
                return found
            time.sleep(_PAUSE)


def _time_loop() -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    total = 0
    for number in range(_LOOPS):
        total += number
    return time.process_time() - cpu, time.perf_counter() - wall


def cpu_seconds(pid: int) -> float:
    """Return the time on a core that a process and its children have used, ended ones included, in seconds.

    Raises:
        ProcessLookupError: there is no such process.
    """
    ended = _ended_children(pid)
    living = [child.pid for child in psutil.Process(pid).children(recursive=True)]
    return ended + sum(_clock(number) for number in (pid, *living))


def _clock(pid: int) -> float:
    # To the nanosecond, where /proc/PID/stat counts in steps of 10 ms. Source: clock_getcpuclockid(3).
    try:
        return time.clock_gettime((~pid << 3) | _SCHEDULED)
    except OSError as error:
        raise ProcessLookupError(f"there is no process {pid}") from error


def _ended_children(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError as error:
        raise ProcessLookupError(f"there is no process {pid}") from error
    # cutime and cstime, fields 16 and 17; the first of these is field 3. Source: proc(5).
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    """Return the memory that a process and its children hold, in bytes."""
    process = psutil.Process(pid)
    return sum(int(one.memory_info().rss) for one in (process, *process.children(recursive=True)))


def model() -> str:
    """Return the name of the processor, or an empty text where the system does not tell."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return ""
