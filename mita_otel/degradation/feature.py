"""A feature that its users get less of rather than nothing: full, cached, generic, and off at last."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from mita_otel.breakers import CircuitOpenError
from mita_otel.degradation import flags
from mita_otel.degradation.kept import Answers, MemoryStore, Store
from mita_otel.degradation.modes import Cause, Mode, Situation, first_rung
from mita_otel.degradation.telemetry import MODES, Modes
from mita_otel.errors import ExternalServiceError
from mita_otel.retries import remaining

T = TypeVar("T")

Budget = Callable[[], float | None]
"""Returns the share of an error budget that is left, or None where nobody knows."""


class FeatureOffError(ExternalServiceError):
    """There is nothing left to give of a feature."""

    code = "FEATURE_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Served(Generic[T]):
    """What a user got.

    Attributes:
        value: the answer.
        mode: how much of the feature it is.
        cause: why not all of it.
        age: seconds, of an answer of better days.
    """

    value: T
    mode: Mode
    cause: Cause = Cause.NONE
    age: float | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """What the user is told of a feature of which they got less."""

    feature: str
    mode: Mode
    age: float | None

    def __str__(self) -> str:
        """Return it as the header `X-Degraded` has it: `ai_insights;mode=cached;age=120`."""
        age = "" if self.age is None else f";age={self.age:.0f}"
        return f"{self.feature};mode={self.mode.value}{age}"


notes: Final[ContextVar[list[Note] | None]] = ContextVar("mita_degraded", default=None)
"""Of the request that is being served; None where nobody reads them."""


class Feature(Generic[T]):
    """One feature, and the ladder down from it.

        insights = Feature("ai_insights", list[Insight], max_age=86_400)
        served = await insights.serve(ask_the_model, key=f"{user_id}:{month}", generic=plain_remarks)

    Args:
        name: of the feature and of its flag.
        type_: of what it returns: whatever pydantic can write as JSON and read again.
        store: keeps answers for worse days; by default this process's memory.
        max_age: seconds for which an answer of better days may be given.
        seconds_needed: that the feature takes as a rule: with less left of the deadline it is not begun.
        budget: tells what is left of the feature's error budget.
        budget_reserve: share of the budget below which the feature is served from what is kept.
        modes: takes in how requests were served.

    Raises:
        ValueError: there are more than 32 features, or `max_age` is below 1.
    """

    def __init__(
        self,
        name: str,
        type_: Any,
        *,
        store: Store | None = None,
        max_age: int = 24 * 3600,
        seconds_needed: float = 0.0,
        budget: Budget | None = None,
        budget_reserve: float = 0.0,
        modes: Modes = MODES,
    ) -> None:
        self.name = name
        self._answers: Answers[T] = Answers(store or MemoryStore(), name, type_, max_age)
        self._seconds_needed = seconds_needed
        self._budget = budget
        self._budget_reserve = budget_reserve
        self._modes = modes
        modes.known(name)

    async def serve(
        self,
        full: Callable[[], Awaitable[T]],
        *,
        key: str,
        generic: Callable[[], T] | None = None,
        failures: tuple[type[Exception], ...] = (Exception,),
    ) -> Served[T]:
        """Return as much of the feature as can be had.

        Args:
            full: makes the answer.
            key: tells answers apart that are kept for worse days: whose, and of what.
            generic: makes an answer that suits everybody; must not fail.
            failures: exceptions of `full` that a lesser answer may stand in for; others go on to the caller.

        Raises:
            FeatureOffError: there is nothing to give.
        """
        mode, cause = first_rung(self._situation())
        error: Exception | None = None
        if mode is Mode.FULL:
            try:
                value = await full()
            except failures as raised:
                mode, error = Mode.CACHED, raised
                cause = Cause.CIRCUIT_OPEN if _is_refused(raised) else Cause.FAILURE
            else:
                await self._answers.keep(key, value)
                return self._served(Served(value, Mode.FULL))
        if mode is Mode.CACHED:
            kept = await self._answers.find(key)
            if kept is not None:
                return self._served(Served(kept.value, Mode.CACHED, cause, kept.age))
            mode = Mode.GENERIC
        if mode is Mode.GENERIC and generic is not None:
            return self._served(Served(generic(), Mode.GENERIC, cause))
        self._modes.served(self.name, Mode.OFF, cause, None)
        raise FeatureOffError(f"{self.name} is not available now", headers={"Retry-After": "30"}) from error

    def _situation(self) -> Situation:
        return Situation(
            flag=flags.mode(self.name),
            seconds_left=remaining(),
            seconds_needed=self._seconds_needed,
            budget_remaining=self._budget() if self._budget is not None else None,
            budget_reserve=self._budget_reserve,
        )

    def _served(self, served: Served[T]) -> Served[T]:
        self._modes.served(self.name, served.mode, served.cause, served.age)
        told = notes.get()
        if told is not None and served.mode is not Mode.FULL:
            told.append(Note(self.name, served.mode, served.age))
        return served


def _is_refused(error: BaseException) -> bool:
    seen = 0
    cause: BaseException | None = error
    while cause is not None and seen < 10:  # noqa: PLR2004 - chains of causes may be rings
        if isinstance(cause, CircuitOpenError):
            return True
        cause, seen = cause.__cause__, seen + 1
    return False
