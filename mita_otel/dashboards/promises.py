"""Colours and lines that come from what is promised, never from a number written here."""

from typing import Final

from mita_otel.dashboards.model import Steps
from mita_otel.slo.alerts import rules
from mita_otel.slo.policy import STAGES
from mita_otel.slo.specification import Slo, Specification
from mita_otel.slo.windows import Rolling

GOOD: Final = "green"
FAIR: Final = "yellow"
POOR: Final = "orange"
BAD: Final = "red"
_STAGES: Final = (GOOD, FAIR, POOR, "dark-orange", BAD)


def main(specification: Specification) -> Slo:
    """Return the objective about all requests being answered."""
    return next(
        slo
        for slo in specification.slos
        if slo.type == "availability" and slo.routes is not None and slo.routes.is_everything
    )


def latency(specification: Specification, service: str) -> Steps:
    """Return a colour from each threshold that a part of the service promises to answer within."""
    promised = sorted({slo.threshold for slo in _of(specification, service) if slo.threshold is not None})
    colours = (FAIR, POOR, BAD)[-len(promised) :] if promised else ()
    return ((None, GOOD), *zip(promised, colours, strict=True))


def errors(specification: Specification, service: str) -> Steps:
    """Return colours for a share of errors: more than is promised, and so much that someone is woken."""
    slo = next((slo for slo in _of(specification, service) if slo.type == "availability"), None)
    if slo is None or not isinstance(slo.period, Rolling):
        return ((None, GOOD),)
    allowed = 1 - slo.objective
    waking = min(rule.factor for rule in rules(slo.objective, slo.period.length) if rule.severity == "page")
    return ((None, GOOD), (round(allowed, 9), FAIR), (round(allowed * waking, 9), BAD))


def kept(specification: Specification, service: str, kind: str) -> Steps:
    """Return colours for a share that has to be good: below its objective, and above."""
    slo = next((slo for slo in _of(specification, service) if slo.type == kind), None)
    return ((None, GOOD),) if slo is None else ((None, BAD), (slo.objective, GOOD))


def burn() -> Steps:
    """Return colours for a burn rate: from each factor that an alert of a month's budget has."""
    factors = sorted(rule.factor for rule in rules(0.999, 30 * 86_400))
    return ((None, GOOD), *zip(factors, (FAIR, POOR, "dark-orange", BAD), strict=True))


def budget() -> Steps:
    """Return a colour for each stage of the policy, by the share of the budget that is left."""
    worst_first = [(stage.above, colour) for stage, colour in zip(STAGES, _STAGES, strict=True)][::-1]
    return ((None, worst_first[0][1]), *worst_first[1:])


def _of(specification: Specification, service: str) -> list[Slo]:
    return [slo for slo in specification.slos if slo.service == service]
