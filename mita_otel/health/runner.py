"""Looks at every component every few seconds, beside the requests, and remembers what it saw."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode

from mita_otel.health import metrics
from mita_otel.health.history import History
from mita_otel.health.levels import Level, overall, worst
from mita_otel.health.model import Check, Reading, Result
from mita_otel.health.readiness import Readiness, readiness
from mita_otel.traces import unobserved

CHECKS_AT_MOST: Final = 32
"""Each is a task and some series; a service that depends on more cannot tell what is wrong anyway."""

INTERVAL: Final = 5.0
"""Seconds between two looks at a component."""

JITTER: Final = 0.1
"""Share of the interval by which looks are spread, so that replicas do not all ask at once."""

LATE: Final = 3
"""Intervals after which a result says nothing any more: the look hangs, whatever its timeout."""

_logger: Final = logging.getLogger("mita_otel.health")


class Health:
    """The health of one process.

    Args:
        checks: what to look at; names are unique.
        interval: seconds between two looks.
        fail_ready_on: names of shared components without which the process is not ready.
        clock: seconds since the epoch.

    Raises:
        ValueError: two checks have one name, there are more than 32, or `fail_ready_on` names one that is not there.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        *,
        interval: float = INTERVAL,
        fail_ready_on: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.checks: Mapping[str, Check] = _by_name(checks)
        unknown = set(fail_ready_on) - self.checks.keys()
        if unknown:
            raise ValueError(f"MITA_FAIL_READY_ON names checks that there are not: {', '.join(sorted(unknown))}")
        self.histories: Mapping[str, History] = {name: History() for name in self.checks}
        self.history = History()
        self.began_at = clock()
        self.clock = clock
        self.generation = 0
        self._interval = interval
        self._fail_ready_on = frozenset(fail_ready_on)
        self._results: dict[str, Result] = {}
        self._is_started = False
        self._is_draining = False
        metrics.observe(self)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Health"]:
        """Look at everything once, say that the process has started, and go on looking while the block runs."""
        await asyncio.gather(*(self._look(check) for check in self.checks.values()))
        tasks = [asyncio.create_task(self._keep_looking(check)) for check in self.checks.values()]
        self._is_started = True
        self.generation += 1
        try:
            yield self
        finally:
            self.drain()
            for task in tasks:
                task.cancel()
            # A look that does not let go of its task must not hold up the end of the process.
            if tasks:
                await asyncio.wait(tasks, timeout=1)

    @property
    def is_started(self) -> bool:
        """Whether everything has been looked at once."""
        return self._is_started

    @property
    def is_draining(self) -> bool:
        """Whether the process was told to end."""
        return self._is_draining

    def drain(self) -> None:
        """Say from now on that no more requests should come."""
        self._is_draining = True
        self.generation += 1

    def results(self) -> Sequence[Result]:
        """Return the newest result of every check; of one whose look hangs, that it does."""
        now = self.clock()
        return [self._current(result, now) for result in list(self._results.values())]

    @property
    def level(self) -> Level:
        """How well the service is."""
        return overall(result.level for result in self.results())

    @property
    def readiness(self) -> Readiness:
        """Whether requests should come."""
        return readiness(
            self.results(),
            is_started=self._is_started,
            is_draining=self._is_draining,
            fail_ready_on=self._fail_ready_on,
        )

    def _current(self, result: Result, now: float) -> Result:
        if now - result.at <= LATE * self._interval + result.check.timeout:
            return result
        return replace(result, level=Level.UNHEALTHY, error="hangs")

    async def _keep_looking(self, check: Check) -> None:
        while True:
            spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
            await asyncio.sleep(self._interval * spread)
            await self._look(check)

    async def _look(self, check: Check) -> None:
        began_at, began = time.time_ns(), time.perf_counter()
        readings: Sequence[Reading] = ()
        error: Exception | None = None
        try:
            async with asyncio.timeout(check.timeout):
                with unobserved():
                    readings = await check.look()
        except Exception as raised:  # noqa: BLE001 - whatever it is, it does not work
            error = raised
        seconds = time.perf_counter() - began
        result = Result(
            check=check,
            level=Level.UNHEALTHY if error is not None else _level(check, readings, seconds),
            seconds=seconds,
            at=self.clock(),
            readings=readings,
            error=type(error).__name__ if error is not None else "",
            trace_id=_told(check, error, began_at) if error is not None else self._last_trace(check),
        )
        self._take(result)

    def _last_trace(self, check: Check) -> str:
        known = self._results.get(check.name)
        return known.trace_id if known else ""

    def _take(self, result: Result) -> None:
        name = result.check.name
        before = self._results.get(name)
        self._results[name] = result
        self.histories[name].add(result.level, result.seconds, result.at)
        self.history.add(self.level, result.seconds, result.at)
        self.generation += 1
        metrics.record(result)
        if before is None or before.level is not result.level:
            _tell_change(result, before)


def _by_name(checks: Sequence[Check]) -> dict[str, Check]:
    if len(checks) > CHECKS_AT_MOST:
        raise ValueError(f"{len(checks)} health checks: at most {CHECKS_AT_MOST} are allowed")
    known: dict[str, Check] = {}
    for check in checks:
        if check.name in known:
            raise ValueError(f"two health checks are named {check.name!r}")
        known[check.name] = check
    return known


def _level(check: Check, readings: Sequence[Reading], seconds: float) -> Level:
    slow = [Level.DEGRADED] if seconds > check.slow else []
    return worst([*(reading.level for reading in readings), *slow])


def _told(check: Check, error: Exception, began_at: int) -> str:
    """Make a span of a look that failed, in a trace of its own, and return the trace's id."""
    tracer = trace.get_tracer("mita_otel.health")
    span = tracer.start_span(f"check {check.name}", Context(), SpanKind.INTERNAL, start_time=began_at)
    with contextlib.suppress(Exception):  # an exception can be too broken to be told of
        span.record_exception(error)
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(StatusCode.ERROR)
    span.end()
    context = span.get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else ""


def _tell_change(result: Result, before: Result | None) -> None:
    if before is None and result.level is Level.HEALTHY:
        return
    level = logging.INFO if result.level is Level.HEALTHY else logging.WARNING
    _logger.log(
        level,
        "%s is %s",
        *(result.check.name, result.level.value),
        extra={
            "event.name": "mita.health.change",
            "mita.health.check": result.check.name,
            "mita.health.status": result.level.value,
            "mita.health.previous_status": before.level.value if before else "",
            "mita.health.trace_id": result.trace_id,
            "error.type": result.error,
        },
    )
