"""What to do about a budget: the report's stages, and how well an objective stands."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, TypeAlias

HYSTERESIS: Final = 0.02
"""Share of the budget that must come back beyond a bound before a stage is left: nobody ends a freeze for a minute."""

Health: TypeAlias = Literal["healthy", "warning", "critical", "exhausted"]
"""How the report calls a budget."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the policy.

    Attributes:
        name: in the report's words.
        above: share of the budget above which it holds; below 0 there is no bound.
        action: what `/slo/status` recommends.
        actions: what to do.
        health: how the report calls a budget in it.
    """

    name: str
    above: float
    action: str
    actions: tuple[str, ...]
    health: Health


STAGES: Final = (
    Stage(
        "normal",
        0.75,
        "normal_operations",
        ("Normal deployment cadence", "Continue feature development", "No restrictions"),
        "healthy",
    ),
    Stage(
        "caution",
        0.50,
        "review_recent_changes",
        (
            "Review recent changes for issues",
            "Increase monitoring granularity",
            "Consider pausing risky deployments",
        ),
        "warning",
    ),
    Stage(
        "slowdown",
        0.25,
        "freeze_non_critical_deployments",
        (
            "Freeze non-critical deployments",
            "Focus on reliability improvements",
            "Daily SLO review meetings",
            "Root cause analysis for all incidents",
        ),
        "critical",
    ),
    Stage(
        "freeze",
        0.0,
        "emergency_reliability_focus",
        (
            "Deployment freeze (except fixes)",
            "Emergency reliability sprint",
            "Executive escalation",
            "Postmortem for all incidents",
        ),
        "critical",
    ),
    Stage(
        "exhausted",
        float("-inf"),
        "complete_deployment_freeze",
        (
            "Complete deployment freeze",
            "All hands on reliability",
            "Customer communication",
            "Recovery plan required before resuming features",
        ),
        "exhausted",
    ),
)
"""From the best to the worst, where the file of objectives says nothing else. Source: observability report, section
7.3; its status in 7.4 called a quarter of a budget spent up, which here is what it says: nothing left."""


def stage(remaining: float, before: Stage | None = None, stages: Sequence[Stage] = STAGES) -> Stage:
    """Return the stage of a budget.

    A worse one is entered at its bound, a better one only when `HYSTERESIS` more than its bound is left; a full budget
    is always normal.

    Args:
        remaining: share of the budget, up to 1, signed.
        before: the stage it was in, if it was in one.
        stages: from the best to the worst.
    """
    reached = _of(remaining, stages)
    if before is None or stages.index(reached) >= stages.index(before):
        return reached
    # Beyond the bound that it climbs over by the hysteresis, it is in the stage that it would be in with so much less.
    eased = _of(remaining - HYSTERESIS if remaining < 1 else remaining, stages)
    return min((before, eased), key=stages.index)


def _of(remaining: float, stages: Sequence[Stage]) -> Stage:
    return next((stage for stage in stages if remaining > stage.above), stages[-1])


class State(StrEnum):
    """How well an objective stands."""

    OK = "ok"
    NO_DATA = "no_data"
    AT_RISK = "at_risk"
    EXHAUSTED = "exhausted"
    INVALID = "invalid"


_WORSE: Final = (State.NO_DATA, State.OK, State.AT_RISK, State.INVALID, State.EXHAUSTED)


def state(remaining: float | None, burn: float | None) -> State:
    """Return how an objective stands.

    Args:
        remaining: share of the budget, signed; None where nothing is known of it.
        burn: of the last hour; None where nothing happened in it.
    """
    if remaining is None:
        return State.NO_DATA
    if remaining <= 0:
        return State.EXHAUSTED
    return State.AT_RISK if burn is not None and burn > 1 else State.OK


def worst(states: Iterable[State]) -> State:
    """Return the worst of some; nothing known is better than anything, and alone when it is all there is."""
    return max(states, key=_WORSE.index, default=State.NO_DATA)
