"""What retries tell: metrics read from their ledgers, and events on the span of whoever calls."""

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol

from opentelemetry import trace
from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

from mita_otel.guard import Guard
from mita_otel.metrics.catalogue import retries as catalogue
from mita_otel.retries.decision import Reason
from mita_otel.retries.ledger import REGISTRY, Ledger, Registry

if TYPE_CHECKING:
    from stamina.instrumentation import RetryDetails

METER: Final = "mita_otel.retries"
SCHEDULED: Final = "mita.retry.scheduled"
"""Event: an attempt has failed, and there will be another."""

EXHAUSTED: Final = "mita.retry.exhausted"
"""Event: an attempt has failed that may pass, and there will be no other."""

DEPENDENCY: Final = "mita.retry.dependency"
COUNT: Final = "mita.retry.count"
WAITED: Final = "mita.retry.wait"
REASON: Final = "mita.retry.reason"


LOG_INTERVAL: Final = 60.0
"""Seconds between two log records about telemetry of retries that fails."""

_logger: Final = logging.getLogger("mita_otel.retries")

GUARD: Final = Guard(_logger)


class Waiting(Protocol):
    """Whatever stamina waits for on our behalf."""

    ledger: Ledger
    wait: "Wait | None"


retrying: ContextVar[Waiting | None] = ContextVar("mita_retrying", default=None)
"""What stamina waits for now, where it waits for us."""


class Wait(AbstractContextManager[None]):
    """A wait between attempts: accounted for when it ends, once, however often stamina says so.

    Args:
        ledger: of the dependency that is waited for.
    """

    __slots__ = ("_began", "_ledger")

    def __init__(self, ledger: Ledger) -> None:
        self._ledger: Ledger | None = ledger
        self._began = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Account for it."""
        ledger, self._ledger = self._ledger, None
        if ledger is not None:
            ledger.waited += time.monotonic() - self._began


def on_retry(details: "RetryDetails") -> AbstractContextManager[None] | None:
    """Tell of a retry that stamina has scheduled: our hook, which also tells of an application's own use of stamina.

    That one's waits are not accounted for: what a hook returns for a decorated function, stamina 26.1 keeps for ever,
    and ends it when another call begins.
    """
    waiting = retrying.get()
    try:
        _scheduled(details, details.name if waiting is None else waiting.ledger.name)
    except Exception:  # noqa: BLE001 - the room's door
        GUARD.report("telemetry of a retry")
    if waiting is None:
        return None
    waiting.wait = Wait(waiting.ledger)
    return waiting.wait


def _scheduled(details: "RetryDetails", name: str) -> None:
    attributes: dict[str, str | int | float] = {
        DEPENDENCY: name,
        COUNT: details.retry_num,
        WAITED: details.wait_for,
        "error.type": _type_name(details.caused_by),
    }
    _logger.info("%s is tried again in %.3f s", name, details.wait_for, extra={"event.name": SCHEDULED, **attributes})
    span = trace.get_current_span()
    if span.is_recording():
        span.add_event(SCHEDULED, attributes)


def exhausted(ledger: Ledger, reason: Reason, error: Exception, retries: int) -> None:
    """Tell of a failure that is not tried again although it may pass."""
    ledger.exhausted[reason] += 1
    try:
        span = trace.get_current_span()
        if span.is_recording():
            attributes = {REASON: reason.value, COUNT: retries, "error.type": _type_name(error)}
            span.add_event(EXHAUSTED, {DEPENDENCY: ledger.name, **attributes})
    except Exception:  # noqa: BLE001 - as above
        GUARD.report("telemetry of a retry")


def _type_name(error: BaseException) -> str:
    cls = type(error)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


@lru_cache(1)
def install_hook() -> None:
    """Let stamina call our hook in the place of its own, after those of the application; done once.

    Its own would log the same without the dependency's name and with the arguments of functions, whatever is in them.
    """
    from stamina.instrumentation import get_on_retry_hooks, set_on_retry_hooks  # noqa: PLC0415 - see Retry

    given = [hook for hook in get_on_retry_hooks() if not hook.__module__.startswith("stamina.")]
    set_on_retry_hooks([*given, on_retry])


@lru_cache(1)
def observe_this_process() -> None:
    """Report the retries of this process to the global provider, also to one that is set later; done once."""
    observe(get_meter(METER), REGISTRY)


_Told = Iterable[tuple[float, dict[str, str]]]


def observe(meter: Meter, registry: Registry) -> None:
    """Report a registry, whenever metrics are collected; all series begin at zero."""

    def each(read: Callable[[Ledger], _Told]) -> Any:
        def callback(_: CallbackOptions) -> Iterable[Observation]:
            for ledger in registry:
                for value, attributes in read(ledger):
                    yield Observation(value, {"dependency": ledger.name, **attributes})

        return callback

    catalogue.CALLS.observe(meter, each(lambda of: [(of.calls, {})]))
    catalogue.ATTEMPTS.observe(meter, each(_attempts))
    catalogue.EXHAUSTED.observe(
        meter, each(lambda of: [(number, {"reason": reason.value}) for reason, number in of.exhausted.items()])
    )
    catalogue.WAIT.observe(meter, each(lambda of: [(of.waited, {})]))
    catalogue.BUDGET.observe(meter, each(lambda of: [(of.tokens(), {})]))


def _attempts(of: Ledger) -> _Told:
    for outcome, number in (("success", of.successes), ("failure", of.failures), ("cancelled", of.cancelled)):
        yield number, {"outcome": outcome}
