"""One process of a service tells about the host."""

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest
from opentelemetry.sdk.metrics import MeterProvider

from mita_otel.metrics import host
from mita_otel.metrics.host import CpuUsage, HostLease
from tests.fixtures.polling import eventually

Points = Callable[[], dict[str, dict[tuple[str, ...], Any]]]

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every process holds the lease, and says so")

_HOLDER = """
import sys
from mita_otel.metrics.host import HostLease
lease = HostLease(sys.argv[1])
print(lease.held(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def service() -> str:
    """A name that no other test's processes use."""
    return uuid.uuid4().hex


@pytest.fixture
def holder(service: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lease."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, service], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        yield other
        other.kill()


def test_host_gauges_tell_what_the_system_says(provider: MeterProvider, points: Points, service: str) -> None:
    host.observe(provider, HostLease(service))
    found = points()
    assert found["mita.cpu.count"] == {(): psutil.cpu_count()}
    assert set(found["mita.load_average"]) == {("1m",), ("5m",), ("15m",)}
    assert all(0 <= found[name][()] <= 100 for name in ("mita.cpu.usage", "mita.memory.usage.percent"))
    assert found["mita.disk.free_gb"][()] == pytest.approx(psutil.disk_usage(".").free / 1e9, rel=0.05)


def test_the_usage_of_the_cores_is_between_two_looks_whichever_threads_look() -> None:
    usage = CpuUsage()
    assert 0 < usage.look() <= 100, "since the host started"

    def busy() -> float:
        until = psutil.cpu_times().user + 0.2
        while psutil.cpu_times().user < until:
            pass
        with ThreadPoolExecutor(1) as elsewhere:
            return elsewhere.submit(usage.look).result()

    assert busy() > 0
    assert 0 <= usage.look() <= 100, "at once after another"


@linux
def test_a_second_process_of_the_service_tells_nothing(
    provider: MeterProvider, points: Points, service: str, holder: subprocess.Popen[str]
) -> None:
    host.observe(provider, HostLease(service))
    assert "mita.cpu.usage" not in points()


@linux
def test_another_service_on_the_host_tells_for_itself(holder: subprocess.Popen[str]) -> None:
    assert HostLease(uuid.uuid4().hex).held()


@linux
def test_the_lease_of_a_killed_process_is_free_at_once(service: str, holder: subprocess.Popen[str]) -> None:
    lease = HostLease(service)
    assert not lease.held()
    holder.kill()
    assert eventually(lease.held)


@linux
def test_a_lease_that_was_released_can_be_taken(service: str) -> None:
    first, second = HostLease(service), HostLease(service)
    assert (first.held(), second.held()) == (True, False)
    first.release()
    assert second.held()
