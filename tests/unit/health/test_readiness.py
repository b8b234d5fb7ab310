"""Whether a process should get requests."""

from typing import Any

import pytest

from mita_otel.health.levels import Level
from mita_otel.health.model import Check, Result
from mita_otel.health.readiness import readiness


async def look() -> list[Any]:
    return []


def result(level: Level, name: str = "disk", *, is_vital: bool = False, is_shared: bool = False) -> Result:
    check = Check(name, look, is_vital=is_vital, is_shared=is_shared)
    return Result(check=check, level=level, seconds=0.0, at=0.0)


U = Level.UNHEALTHY


@pytest.mark.parametrize(
    ("results", "reason"),
    [
        ([], ""),
        ([result(Level.HEALTHY, is_vital=True)], ""),
        ([result(Level.CRITICAL, is_vital=True)], ""),
        ([result(U)], ""),
        ([result(U, is_vital=True)], "disk"),
        ([result(U, is_vital=True, is_shared=True)], ""),
        ([result(U, "database", is_vital=True, is_shared=True)], "database"),
    ],
)
def test_only_what_is_vital_and_its_own_takes_a_replica_out(results: list[Result], reason: str) -> None:
    told = readiness(results, is_started=True, is_draining=False, fail_ready_on={"database"})
    assert (told.is_ready, told.reason) == (reason == "", reason)


def test_before_the_first_look_and_after_the_last_it_is_not_ready() -> None:
    assert readiness([], is_started=False, is_draining=False).reason == "starting"
    assert readiness([], is_started=True, is_draining=True).reason == "draining"


@pytest.mark.parametrize(("slow", "timeout"), [(1.0, 1.0), (2.0, 1.0), (0.0, 1.0), (-1.0, 1.0)])
def test_a_timeout_below_the_threshold_is_refused(slow: float, timeout: float) -> None:
    with pytest.raises(ValueError, match="disk: timeout="):
        Check("disk", look, slow=slow, timeout=timeout)
