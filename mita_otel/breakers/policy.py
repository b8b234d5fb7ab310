"""When a breaker opens, for how long, and what closes it: checked as it is written down."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any, Final, Literal, TypeAlias

from mita_otel.breakers.verdicts import Verdict, is_failing_result, verdict_of_exception

Mode: TypeAlias = Literal["consecutive", "rate"]
Window: TypeAlias = Literal["count", "time"]

LONGEST: Final = 86_400.0
"""Seconds: what is to be left alone for longer than a day is to be taken out by hand."""

MOST_CALLS: Final = 10_000
MOST_SECONDS: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one breaker. Source of the defaults: observability report, 2.3; resilience4j for rates and windows.

    Attributes:
        mode: `consecutive` opens after so many failures in a row, `rate` by shares of a window.
        failure_threshold: failures in a row that open it (consecutive).
        success_threshold: probes that must succeed in a row to close it (consecutive).
        failure_rate: share of failures in the window that opens it, above 0 to 1 (rate).
        slow_seconds: a call that takes at least so long is slow; None where none is.
        slow_rate: share of slow calls in the window that opens it, above 0 to 1 (rate).
        window: the last calls, or the last seconds (rate).
        window_size: calls, or whole seconds (rate).
        minimum_calls: the window says nothing before it holds so many (rate).
        half_open_calls: probes that decide whether it closes (rate).
        half_open_concurrency: probes under way at a time; None for as many as decide.
        open_seconds: until the first probe.
        open_backoff: factor by which that grows each time a probe has failed; 1 and above.
        open_seconds_max: where it stops growing.
        open_jitter: share that is added by chance, 0 to 1, so that processes do not probe all at once.
        probe_seconds: a probe that takes longer gives its permit back, and says nothing any more.
        judge_exception: says what an exception tells; default: by HTTP status, else a failure.
        judge_result: says whether what a call returned is a failure; None if nothing is.

    Raises:
        ValueError: a value is not allowed; the message names the field.
    """

    mode: Mode = "consecutive"
    failure_threshold: int = 5
    success_threshold: int = 3
    failure_rate: float = 0.5
    slow_seconds: float | None = None
    slow_rate: float = 1.0
    window: Window = "count"
    window_size: int = 100
    minimum_calls: int = 20
    half_open_calls: int = 10
    half_open_concurrency: int | None = None
    open_seconds: float = 60.0
    open_backoff: float = 1.0
    open_seconds_max: float = 600.0
    open_jitter: float = 0.1
    probe_seconds: float = 60.0
    judge_exception: Callable[[Exception], Verdict] = verdict_of_exception
    judge_result: Callable[[Any], bool] | None = is_failing_result

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        _one_of("mode", self.mode, "consecutive", "rate")
        _one_of("window", self.window, "count", "time")
        for name in ("failure_threshold", "success_threshold", "minimum_calls", "half_open_calls"):
            _whole(name, getattr(self, name), MOST_CALLS)
        _whole("window_size", self.window_size, MOST_CALLS if self.window == "count" else MOST_SECONDS)
        for name in ("failure_rate", "slow_rate"):
            _number(name, getattr(self, name), above=0, most=1)
        for name in ("open_seconds", "open_seconds_max", "probe_seconds"):
            _number(name, getattr(self, name), above=0, most=LONGEST)
        _number("open_jitter", self.open_jitter, least=0, most=1)
        _number("open_backoff", self.open_backoff, least=1, most=100)
        if self.slow_seconds is not None:
            _number("slow_seconds", self.slow_seconds, above=0, most=LONGEST)
        if self.half_open_concurrency is not None:
            _whole("half_open_concurrency", self.half_open_concurrency, self.probes, "as many as probes decide")
        if self.open_seconds_max < self.open_seconds:
            raise _not_allowed("open_seconds_max", self.open_seconds_max, f"at least open_seconds={self.open_seconds}")
        if self.mode == "rate" and self.window == "count" and self.minimum_calls > self.window_size:
            raise _not_allowed("minimum_calls", self.minimum_calls, f"at most window_size={self.window_size}")
        for name in ("judge_exception", "judge_result"):
            judge = getattr(self, name)
            if not callable(judge) and not (judge is None and name == "judge_result"):
                raise _not_allowed(name, judge, "a function")

    @property
    def probes(self) -> int:
        """How many probes decide whether a half-open breaker closes."""
        return self.success_threshold if self.mode == "consecutive" else self.half_open_calls

    @property
    def failed_probes(self) -> int:
        """How many failed ones open it again."""
        return 1 if self.mode == "consecutive" else _share(self.failure_rate, self.half_open_calls)

    @property
    def slow_probes(self) -> int | None:
        """How many slow ones open it again; None if slowness does not."""
        is_judged = self.mode == "rate" and self.slow_seconds is not None
        return _share(self.slow_rate, self.half_open_calls) if is_judged else None

    def wait(self, trips: int, draw: float) -> float:
        """Return the seconds to stay open.

        Args:
            trips: how often it has opened since it was last closed, 1 and above.
            draw: a number by chance, 0 to 1.
        """
        # No power beyond what can be reached: a float would overflow.
        steps = min(trips - 1, 64)
        grown = min(self.open_seconds * self.open_backoff**steps, self.open_seconds_max)
        return grown * (1 + self.open_jitter * draw)


def _share(rate: float, calls: int) -> int:
    """Return the fewest of some calls that are at least a share of them."""
    return max(1, ceil(rate * calls - 1e-9))


def _one_of(name: str, value: object, *allowed: str) -> None:
    if value not in allowed:
        raise _not_allowed(name, value, " or ".join(allowed))


def _whole(name: str, value: object, most: int, because: str = "") -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise _not_allowed(name, value, f"a whole number from 1 to {most}" + (f", {because}" if because else ""))


def _number(name: str, value: object, *, most: float, above: float | None = None, least: float | None = None) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    if (
        not is_number
        or not isinstance(value, int | float)
        or value > most
        or (above is not None and value <= above)
        or (least is not None and value < least)
    ):
        lower = f"more than {above:g}" if above is not None else f"at least {least:g}"
        raise _not_allowed(name, value, f"{lower} and at most {most:g}")


def _not_allowed(name: str, value: object, allowed: str) -> ValueError:
    return ValueError(f"{name}={value!r} is not allowed: {allowed}")
