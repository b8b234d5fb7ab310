"""What Prometheus is told of how objectives stand, by the process that judged them."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from mita_otel.metrics.catalogue import slo as catalogue
from mita_otel.slo.engine import Judgement, Status
from mita_otel.slo.specification import Slo
from mita_otel.slo.windows import period_text

Read: TypeAlias = Callable[[Judgement], float | None]


def observe(meter: Meter, status: Callable[[], Status]) -> None:
    """Report at each collection; what is not known is not reported."""

    def told(read: Read) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def callback(_: CallbackOptions) -> Iterable[Observation]:
            now = status()
            return [
                Observation(value, {"slo": each.slo.id, "scope": now.sight.scope})
                for each in now.judgements
                if each.stage is not None and (value := read(each)) is not None
            ]

        return callback

    def burns(_: CallbackOptions) -> Iterable[Observation]:
        now = status()
        return [
            Observation(burn, {"slo": each.slo.id, "scope": now.sight.scope, "window": window})
            for each in now.judgements
            for window, burn in each.burn.items()
            if burn is not None
        ]

    catalogue.SLI.observe(meter, told(lambda each: each.budget.count.sli))
    catalogue.BUDGET_REMAINING.observe(meter, told(lambda each: each.budget.remaining_ratio))
    catalogue.COMPLIANT.observe(meter, told(_compliant))
    catalogue.BURN_RATE.observe(meter, burns)


def about(slo: Slo) -> dict[str, str]:
    """Return what an objective is about, as attributes."""
    return {
        "slo": slo.id,
        "title": slo.title,
        "part": slo.service,
        "owner": slo.owner,
        "tier": str(slo.tier),
        "type": slo.type,
        "period": period_text(slo.period),
    }


def stages(slos: Iterable[Slo]) -> dict[tuple[str, str, str], float]:
    """Return the shares of a budget that are gone where stages begin, by period, stage and action."""
    found: dict[tuple[str, str, str], float] = {}
    for slo in slos:
        begin = 0.0
        for stage in slo.stages:
            found[period_text(slo.period), stage.name, stage.action] = begin
            begin = round(1 - stage.above, 9)
    return found


def _compliant(judgement: Judgement) -> float | None:
    sli = judgement.budget.count.sli
    return None if sli is None else float(sli >= judgement.slo.objective)
