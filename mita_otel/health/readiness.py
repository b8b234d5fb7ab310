"""Whether a process should get requests now."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mita_otel.health.levels import Level
from mita_otel.health.model import Result


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether requests should come, and in a word why not."""

    is_ready: bool
    reason: str = ""


def readiness(
    results: Iterable[Result], *, is_started: bool, is_draining: bool, fail_ready_on: Collection[str] = ()
) -> Readiness:
    """Decide whether a process should get requests.

    A process that is short of memory or CPU should: sending its requests to the others makes it worse for them. One
    whose database is away should, too, if the others' is the same one: with all of them taken out nobody even says that
    something is wrong. Who wants it otherwise names the component.

    Args:
        results: newest of every check.
        is_started: whether what has to happen before the first request has happened.
        is_draining: whether the process was told to end.
        fail_ready_on: names of shared components without which no request should come.
    """
    if is_draining:
        return Readiness(is_ready=False, reason="draining")
    if not is_started:
        return Readiness(is_ready=False, reason="starting")
    for result in results:
        check = result.check
        counts = check.name in fail_ready_on or (check.is_vital and not check.is_shared)
        if counts and result.level is Level.UNHEALTHY:
            return Readiness(is_ready=False, reason=check.name)
    return Readiness(is_ready=True)
