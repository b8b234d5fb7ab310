"""Whether a deployment may go on, by what `/slo/status` tells."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """What keeps a deployment from going on.

    Attributes:
        reasons: a sentence for each objective that does; none where it may go on.
        unknown: ids of the objectives of which nothing is known.
    """

    reasons: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether it may go on."""
        return not self.reasons


def verdict(
    report: Mapping[str, Any], *, min_budget: float, max_burn: float, tiers: Collection[int], require_data: bool = False
) -> Verdict:
    """Return whether a deployment may go on.

    Args:
        report: what `/slo/status` tells.
        min_budget: share of the error budget that must be left.
        max_burn: burn rate of the last hour that must not be exceeded.
        tiers: of the objectives that are looked at.
        require_data: whether an objective of which nothing is known keeps it, too.
    """
    reasons: list[str] = []
    unknown: list[str] = []
    for each in report["slos"]:
        if each["tier"] not in tiers:
            continue
        name, left, burn = each["id"], each["error_budget"]["remaining_ratio"], each["burn_rate"]["1h"]
        if left is None:
            unknown.append(name)
            if require_data:
                reasons.append(f"{name}: nothing is known of it ({each['state']})")
        elif left < min_budget:
            reasons.append(f"{name}: {left:.1%} of its error budget is left, {min_budget:.1%} is needed")
        if burn is not None and burn > max_burn:
            reasons.append(f"{name}: its budget burns {burn:.1f} times as fast as allowed, {max_burn:g} is the most")
    return Verdict(tuple(reasons), tuple(unknown))
