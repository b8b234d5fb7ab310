"""Objectives and their budgets, as our own API writes them: with the keys of `/slo/status`, where it has them."""

from math import isfinite
from typing import Any

from mita_otel.console.reading.objectives import Objective
from mita_otel.console.reading.spending import Contributor, Dimension, Spending
from mita_otel.slo.alerts import Alarm, Rule
from mita_otel.slo.policy import Stage
from mita_otel.slo.windows import period_text, shortly

Json = dict[str, Any]


def objective_json(of: Objective) -> Json:
    """Return how an objective stands; what is not known is null."""
    about, budget, stage = of.promise.about, of.budget, of.stage
    return {
        "id": of.id,
        "title": about.get("title", of.id),
        "service": of.service,
        "part": about.get("part", ""),
        "owner": about.get("owner", ""),
        "tier": about.get("tier", ""),
        "type": about.get("type", ""),
        "objective": of.promise.objective,
        "period": period_text(of.promise.period),
        "period_seconds": of.period,
        "state": of.state.value,
        "compliant": None
        if of.promise.objective is None or of.count.sli is None
        else of.count.sli >= of.promise.objective,
        "sli": of.count.sli,
        "good": of.count.good,
        "bad": of.count.bad,
        "total": of.count.total,
        "coverage": of.coverage,
        "since": of.since,
        "heard": of.heard,
        "measurable": budget is not None and budget.is_measurable,
        "error_budget": {
            "allowed_ratio": budget.allowed_ratio if budget else None,
            "allowed_events": budget.allowed_events if budget else None,
            "consumed_ratio": budget.consumed_ratio if budget else None,
            "remaining_ratio": of.remaining,
            "remaining_events": budget.remaining_events if budget else None,
            "remaining_minutes": budget.remaining_minutes if budget else None,
        },
        "burn_rate": dict(of.burn),
        "alerts": [_alert(rule, alarm) for rule, alarm in of.alerts],
        "countdown_seconds": of.countdown,
        "policy_stage": stage.name if stage else None,
        "recommended_action": stage.action if stage else None,
        "actions": list(stage.actions) if stage else [],
        "trend": of.trend,
    }


def _alert(rule: Rule, alarm: Alarm) -> Json:
    return {
        "severity": rule.severity,
        "long": shortly(rule.long),
        "short": shortly(rule.short),
        "factor": rule.factor,
        "state": alarm.value,
    }


def spending_json(of: Spending) -> Json:
    """Return an objective with its burn-down and its ledger."""
    told = of.told
    return {
        "objective": objective_json(of.objective),
        "burn_down": {
            "start": of.start,
            "left_at_start": of.left_at_start,
            "parts": [
                {"end": part.end, "remaining": part.remaining, "good": part.good, "bad": part.bad} for part in of.parts
            ],
        },
        "ledger": [_dimension(each, of.objective) for each in of.ledger],
        "stages": [_stage(stage) for stage in of.objective.promise.stages],
        "told": {"sli": told.sli, "remaining": told.remaining, "time": told.time} if told else None,
    }


def _stage(of: Stage) -> Json:
    """Return a stage; `above` is null for the last one, which has no bound."""
    return {"name": of.name, "above": of.above if isfinite(of.above) else None}


def _dimension(of: Dimension, objective: Objective) -> Json:
    return {
        "dimension": of.name,
        "bad": of.bad,
        "contributors": [_contributor(each, of, objective) for each in of.contributors],
        "left_out": of.left_out,
    }


def _contributor(of: Contributor, dimension: Dimension, objective: Objective) -> Json:
    # Both counters are read as they were exported: where one is a collection ahead, no share is above all of it.
    bad = max(objective.count.bad, dimension.bad)
    allowed = objective.budget.allowed_events if objective.budget else 0.0
    return {
        "contributor": of.name,
        "bad": of.bad,
        "share": of.bad / bad if bad else None,
        "spent_ratio": of.bad / allowed if allowed else None,
        "traces": [{"trace_id": trace, "time": time} for trace, time in of.traces],
    }
