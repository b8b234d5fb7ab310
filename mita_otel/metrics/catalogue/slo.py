"""Service level objectives. Source: observability report, sections 6.1 #2 and 7."""

from typing import Final

from mita_otel.metrics.instrument import OURS, Counter, Gauge, bounded, closed

_SLO: Final = bounded("slo", "objectives of the specification, 200 at most", at_most=200)
_SCOPE: Final = closed("scope", "process", "service")

EVENTS: Final = Counter(
    name="mita.slo.events",
    unit="{event}",
    description="Events that an objective is about, by whether they were as promised; told exactly as each ended.",
    source=OURS,
    attributes=(_SLO, closed("outcome", "good", "bad")),
)
SPENT: Final = Counter(
    name="mita.slo.spent",
    unit="{event}",
    description="Bad events, once in each dimension by what contributed to them; `other` beyond 50 contributors of a"
    " dimension and objective. Exemplars carry traces.",
    source=OURS,
    attributes=(
        _SLO,
        closed("dimension", "route", "error_type", "dependency", "version", "flag"),
        bounded(
            "contributor", "route templates, types of errors, names of dependencies, flags: 50 of each, and other", 51
        ),
    ),
)
OBJECTIVE: Final = Gauge(
    name="mita.slo.objective",
    unit="",
    description="Share of events that has to be good, above 0 and below 1.",
    source=OURS,
    attributes=(_SLO,),
)
INFO: Final = Gauge(
    name="mita.slo.info",
    unit="",
    description="One for each objective, with what it is about in the attributes: to join others with.",
    source=OURS,
    attributes=(
        _SLO,
        *(bounded(name, "one of each objective", 1) for name in ("title", "part", "owner", "tier", "type", "period")),
    ),
)
STAGE: Final = Gauge(
    name="mita.slo.stage",
    unit="",
    description="Share of a period's budget that is gone where a stage of the policy begins: 0 for the first, 1 where"
    " nothing is left.",
    source=OURS,
    attributes=(
        bounded("period", "few, which objectives share", 8),
        bounded("stage", "10 of a policy", 10),
        bounded("action", "one of each stage", 1),
    ),
)
SLI: Final = Gauge(
    name="mita.slo.sli",
    unit="",
    description="Share of the period's events that were good; nothing where there were none. The scope says whether"
    " it is of this process or of all.",
    source=OURS,
    attributes=(_SLO, _SCOPE),
)
BUDGET_REMAINING: Final = Gauge(
    name="mita.slo.error_budget.remaining",
    unit="",
    description="Share of the period's error budget that is left, 1 for all of it; below 0 where more is spent.",
    source=OURS,
    attributes=(_SLO, _SCOPE),
)
BURN_RATE: Final = Gauge(
    name="mita.slo.burn_rate",
    unit="",
    description="How many times faster than allowed the budget is spent, by window.",
    source=OURS,
    attributes=(_SLO, _SCOPE, closed("window", "5m", "30m", "1h", "2h", "6h", "1d", "3d")),
)
COMPLIANT: Final = Gauge(
    name="mita.slo.compliant",
    unit="",
    description="Whether the objective is kept over its period: 1 or 0, and nothing without events.",
    source=OURS,
    attributes=(_SLO, _SCOPE),
)
UNTOLD: Final = Counter(
    name="mita.slo.untold",
    unit="{event}",
    description="Events that other processes were never told of: the Redis that all share was away for over a day.",
    source=OURS,
)
