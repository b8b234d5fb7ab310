"""`/slo/status` as it is told: the report's keys, and every objective in full.

Source: observability report, section 7.4.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mita_otel.metrics.catalogue.http import SERVER_REQUEST_DURATION
from mita_otel.slo.counts import Cells, quantile
from mita_otel.slo.engine import Alert, Judgement, Status
from mita_otel.slo.policy import State
from mita_otel.slo.sources import Sight
from mita_otel.slo.specification import Indicator
from mita_otel.slo.windows import DAY, Rolling, shortly

_HEALTH: Final = {
    State.OK: "healthy",
    State.NO_DATA: "unknown",
    State.AT_RISK: "warning",
    State.EXHAUSTED: "exhausted",
    State.INVALID: "unknown",
}
_LATENCY: Final = "latency_"
_DIGITS: Final = 9


def report(status: Status, durations: "Cells | None" = None, indicators: Iterable[Indicator] = ()) -> dict[str, Any]:
    """Return how all objectives stand, as JSON has it; what is not known is null.

    Args:
        status: how they stand.
        durations: of this process's requests, for quantiles that are shown and not judged by.
        indicators: rates that are shown and have no budget.
    """
    sight = status.sight
    whole = _whole(status)
    return {
        "measurement_window": _window(status, whole.get("availability")),
        "availability": _availability(whole.get("availability")),
        "latency": {
            name.removeprefix(_LATENCY): _latency(judgement, durations)
            for name, judgement in whole.items()
            if name.startswith(_LATENCY)
        },
        "correctness": _correctness(whole.get("correctness")),
        "throughput": _throughput(status, whole.get("availability"), indicators),
        "error_budget": {name: _budget(judgement) for name, judgement in whole.items()},
        "overall_status": _HEALTH[status.state],
        "overall_state": status.state.value,
        "policy_stage": None if status.stage is None else status.stage.name,
        "source": sight.source,
        "scope": sight.scope,
        "coverage": round(min((each.coverage for each in status.judgements), default=0.0) * _present(sight), 6),
        "incomplete": sight.missing > 0,
        "replicas": None if sight.replicas is None else {"reporting": sight.replicas, "missing": sight.missing},
        "filled": None if sight.filled is None else {"source": sight.filled[0], "until": _time(sight.filled[1])},
        "watermark": _time(sight.watermark),
        "observed_since": None if sight.since is None else _time(sight.since),
        "generated_at": _time(status.at),
        "slos": [in_full(judgement) for judgement in status.judgements],
    }


def _present(sight: Sight) -> float:
    """Return the share of the processes that should tell of themselves and do; it silences no alert.

    A process that died is missing, and its death is what an alert may have to tell of.
    """
    return 1.0 if not sight.replicas else sight.replicas / (sight.replicas + sight.missing)


def in_full(judgement: Judgement) -> dict[str, Any]:
    """Return how one objective stands."""
    slo, budget, stage = judgement.slo, judgement.budget, judgement.stage
    known = judgement.state not in {State.NO_DATA, State.INVALID}
    return {
        "id": slo.id,
        "title": slo.title,
        "description": slo.description,
        "service": slo.service,
        "owner": slo.owner,
        "tier": slo.tier,
        "type": slo.type,
        "objective": slo.objective,
        "threshold_seconds": slo.threshold,
        "period": shortly(slo.period.length) if isinstance(slo.period, Rolling) else slo.period.unit,
        "elapsed_ratio": round(judgement.elapsed, 6),
        "state": judgement.state.value,
        "compliant": budget.count.sli >= slo.objective if known and budget.count.sli is not None else None,
        "sli": budget.count.sli if known else None,
        "good": budget.count.good,
        "bad": budget.count.bad,
        "total": budget.count.total,
        "coverage": round(judgement.coverage, 6),
        "measurable": budget.is_measurable,
        "error_budget": {
            "allowed_ratio": budget.allowed_ratio,
            "consumed_ratio": _rounded(budget.consumed_ratio if known else None),
            "remaining_ratio": _rounded(budget.remaining_ratio if known else None),
            "remaining_events": _rounded(budget.remaining_events if known else None),
            "remaining_minutes": _rounded(budget.remaining_minutes if known else None),
        },
        "burn_rate": {window: _rounded(burn) for window, burn in judgement.burn.items()},
        "alerts": [_alert(alert) for alert in judgement.alerts],
        "time_to_exhaustion": {"pace_seconds": judgement.pace, "countdown_seconds": judgement.countdown},
        "policy_stage": None if stage is None else stage.name,
        "recommended_action": None if stage is None else stage.action,
        "actions": [] if stage is None else list(stage.actions),
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "severity": alert.rule.severity,
        "long": shortly(alert.rule.long),
        "short": shortly(alert.rule.short),
        "factor": alert.rule.factor,
        "budget_spent_ratio": round(alert.rule.spent, 6),
        "state": alert.alarm.value,
        "firing": alert.firing,
    }


def _whole(status: Status) -> Mapping[str, Judgement]:
    """Return what is promised of the service as a whole: its availability, its latencies by percentile, its results."""
    found: dict[str, Judgement] = {}
    for each in status.judgements:
        if each.slo.routes is not None and each.slo.routes.is_everything:
            is_latency = each.slo.type == "latency"
            found.setdefault(f"{_LATENCY}p{each.slo.objective * 100:g}" if is_latency else "availability", each)
    services = {each.slo.service for each in found.values()}
    for each in status.judgements:
        if each.slo.type == "correctness" and each.slo.service in services:
            found.setdefault("correctness", each)
    return found


def _window(status: Status, judgement: Judgement | None) -> dict[str, Any] | None:
    if judgement is None:
        return None
    start, end = judgement.slo.period.bounds(datetime.fromtimestamp(status.at, UTC))
    return {
        "start": _time(start.timestamp()),
        "end": _time(end.timestamp()),
        "days": round((end - start).total_seconds() / DAY, 3),
    }


def _kept(judgement: Judgement, told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "target": _percent(judgement.slo.objective),
        "current": _percent(told["sli"]),
        "compliant": told["compliant"],
    }


def _availability(judgement: Judgement | None) -> dict[str, Any] | None:
    if judgement is None:
        return None
    told = in_full(judgement)
    return {
        **_kept(judgement, told),
        "total_requests": told["total"],
        "successful_requests": told["good"],
        "failed_requests": told["bad"],
        "error_budget_remaining": _percent(told["error_budget"]["remaining_ratio"]),
        "status": _health(judgement),
    }


def _correctness(judgement: Judgement | None) -> dict[str, Any] | None:
    if judgement is None:
        return None
    told = in_full(judgement)
    return {
        **_kept(judgement, told),
        "total_events": told["total"],
        "correct_events": told["good"],
        "incorrect_events": told["bad"],
    }


def _throughput(status: Status, judgement: Judgement | None, indicators: Iterable[Indicator]) -> dict[str, Any] | None:
    """Return the requests answered a second; too few of them are no fault, and so nothing says whether it is kept."""
    indicator = next((each for each in indicators if each.metric == SERVER_REQUEST_DURATION.name), None)
    seen = None if judgement is None else status.sight.seen[judgement.slo.id]
    window = None if seen is None or indicator is None else seen.windows.get(indicator.over)
    if indicator is None or window is None:
        return None
    return {
        "target": indicator.reference,
        "current": round(window.count.total / indicator.over, 3) if window.count.is_valid else None,
        "unit": "requests/s",
        "window": shortly(indicator.over),
        "coverage": round(window.coverage, 6),
    }


def _latency(judgement: Judgement, durations: "Cells | None") -> dict[str, Any]:
    told = in_full(judgement)
    shown = None if durations is None else quantile(durations, judgement.slo.objective)
    return {
        "target_ms": None if judgement.slo.threshold is None else round(judgement.slo.threshold * 1000, 3),
        "current_ms": None if shown is None else round(shown * 1000, 2),
        "compliant": told["compliant"],
        "within_target": _percent(told["sli"]),
        "status": _health(judgement),
    }


def _budget(judgement: Judgement) -> dict[str, Any]:
    told = in_full(judgement)
    budget, stage = told["error_budget"], judgement.stage
    consumed = budget["consumed_ratio"]
    return {
        "budget_allowed": _percent(budget["allowed_ratio"]),
        "budget_consumed": None if consumed is None else _percent(consumed * budget["allowed_ratio"]),
        "budget_remaining_pct": _percent(budget["remaining_ratio"]),
        "burn_rate": _rounded(judgement.burn["1h"]),
        "status": _health(judgement),
        "recommended_action": None if stage is None else stage.action,
    }


def _health(judgement: Judgement) -> str:
    return "unknown" if judgement.stage is None else judgement.stage.health


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio * 100, 6)


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, _DIGITS)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def attributes(status: Status) -> dict[str, float]:
    """Return what feature flags may be decided by: `slo.<id>.budget_remaining` and `slo.<id>.burn_1h`, where known."""
    told: dict[str, float] = {}
    for each in status.judgements:
        remaining, burn = each.budget.remaining_ratio, each.burn["1h"]
        if each.stage is not None and remaining is not None:
            told[f"slo.{each.slo.id}.budget_remaining"] = remaining
        if burn is not None:
            told[f"slo.{each.slo.id}.burn_1h"] = burn
    return told
