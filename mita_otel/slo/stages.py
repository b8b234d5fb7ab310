"""The stages of the error budget's policy, as a file of objectives has them: one `AlertPolicy` for each.

A condition is a burn rate over the whole period, which is the share of the budget that is gone: at 0.25 a quarter is.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from mita_otel.slo import openslo
from mita_otel.slo.documents import Document, Place
from mita_otel.slo.policy import STAGES, Stage

MOST: Final = 10
"""Stages of one policy: more than people keep apart."""

_CONDITION: Final[Place] = ("spec", "conditions", 0, "spec", "condition")

Policies: TypeAlias = Sequence[tuple[Document, openslo.AlertPolicy]]


def problems(policies: Policies, periods: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with them.

    Args:
        policies: in the order of the file.
        periods: of the objectives, as the file writes them.
    """
    known = set(periods)
    before: dict[str, float] = {}
    for number, (document, policy) in enumerate(policies):
        burn = _burn(policy)
        if burn.lookbackWindow not in known:
            yield document.problem(
                (*_CONDITION, "lookbackWindow"), f"{burn.lookbackWindow!r} is no objective's period: nothing has it"
            )
        elif burn.lookbackWindow not in before and burn.threshold != 0:
            yield document.problem(
                (*_CONDITION, "threshold"), "the first stage of a period begins at 0: with the whole budget left"
            )
        elif burn.threshold <= before.get(burn.lookbackWindow, -1):
            yield document.problem(
                (*_CONDITION, "threshold"), f"{burn.threshold:g} is not above that of the stage before"
            )
        before[burn.lookbackWindow] = burn.threshold
        if not _lines(policy):
            yield document.problem(("metadata", "annotations", "mita/actions"), "names nothing to do")
        if number == MOST:
            yield document.problem((), f"{MOST} stages are the most")


def stages_of(policies: Policies, period: str) -> tuple[Stage, ...]:
    """Return the stages for objectives of a period, as the file writes it; the report's where it says nothing."""
    mine = [policy for _, policy in policies if _burn(policy).lookbackWindow == period]
    if not mine:
        return STAGES
    ends = [*(1 - _burn(policy).threshold for policy in mine[1:]), float("-inf")]
    return tuple(_stage(policy, round(above, 9)) for policy, above in zip(mine, ends, strict=True))


def _stage(policy: openslo.AlertPolicy, above: float) -> Stage:
    return Stage(
        policy.metadata.name,
        above,
        policy.metadata.annotations.action,
        _lines(policy),
        policy.spec.conditions[0].spec.severity,
    )


def _burn(policy: openslo.AlertPolicy) -> openslo.Burn:
    return policy.spec.conditions[0].spec.condition


def _lines(policy: openslo.AlertPolicy) -> tuple[str, ...]:
    return tuple(line.strip() for line in policy.metadata.annotations.actions.splitlines() if line.strip())
