"""What spent the budgets, as it is told; `mita_otel.slo.ledger` shows the shape."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final

from mita_otel.slo.budget import Count
from mita_otel.slo.ledger.book import Contribution, Contributions, Trace
from mita_otel.slo.ledger.causes import DIMENSIONS
from mita_otel.slo.specification import Slo
from mita_otel.slo.windows import Rolling, seconds, shortly

UNKNOWN: Final = "unknown"
"""Bad events that somebody counted and nobody explained, as those from before there was a ledger."""

_DIGITS: Final = 9
_A_HALF: Final = 0.5
_LITTLE: Final = 0.01
"""Share of the bad events by which two sums of fractions may differ."""


class UnknownObjectiveError(LookupError):
    """There is no objective of that id; says which is meant, perhaps."""


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of one objective's budget, and who spent it.

    Attributes:
        slo: the objective.
        start, end: of the time that it tells of, in seconds since the epoch.
        coverage: share of it that was watched; None where nobody knows.
        count: events of that time.
        contributions: to its bad events.
    """

    slo: Slo
    start: float
    end: float
    coverage: float | None
    count: Count
    contributions: Contributions


def chosen(slos: Sequence[Slo], name: str | None) -> tuple[Slo, ...]:
    """Return the objective of an id; all without.

    Raises:
        UnknownObjectiveError: there is none of that id.
    """
    if name is None:
        return tuple(slos)
    found = tuple(slo for slo in slos if slo.id == name)
    if not found:
        nearest = get_close_matches(name, [slo.id for slo in slos], n=1, cutoff=0.0)
        raise UnknownObjectiveError(f"no objective is called {name!r}" + (f": {nearest[0]!r}?" if nearest else ""))
    return found


def beginning(slo: Slo, window: str | None, now: float) -> float:
    """Return when the time that is asked for begins: the objective's period, or a window such as `6h`.

    Raises:
        ValueError: the window is none, or longer than 31 days.
    """
    if window is None:
        return slo.period.bounds(datetime.fromtimestamp(now, UTC))[0].timestamp()
    length = seconds(window)
    if length > seconds("31d"):
        raise ValueError(f"{window!r} is too long: 31d are kept at most")
    return now - length


def explanation(
    accounts: Iterable[Account], *, source: str, scope: str, now: float, window: str | None, traces: str | None
) -> dict[str, Any]:
    """Return who spent the budgets, as JSON has it.

    Args:
        accounts: one an objective; those that spent nothing are left out.
        source: who was asked.
        scope: of whom that tells.
        now: seconds since the epoch.
        window: that was asked for; None for each objective's period.
        traces: address of a trace, with `{trace_id}`.
    """
    told = [_told(_complete(each), window, traces) for each in accounts if each.count.bad > 0]
    return {
        "source": source,
        "scope": scope,
        "generated_at": _time(now),
        "slos": sorted(told, key=lambda each: -(each["spent_ratio"] or 0)),
    }


def _complete(account: Account) -> Account:
    """Return an account whose contributions add up to its bad events in each dimension."""
    whole: dict[str, tuple[Contribution, ...]] = {}
    for dimension in DIMENSIONS:
        found = account.contributions.get(dimension, ())
        missing = account.count.bad - sum(each.bad for each in found)
        is_much = missing >= max(_A_HALF, _LITTLE * account.count.bad)
        whole[dimension] = (*found, Contribution(UNKNOWN, missing)) if is_much else tuple(found)
    return replace(account, contributions=whole)


def _told(account: Account, window: str | None, traces: str | None) -> dict[str, Any]:
    slo, count = account.slo, account.count
    period = shortly(slo.period.length) if isinstance(slo.period, Rolling) else slo.period.unit
    allowed = count.total * (1 - slo.objective)
    return {
        "id": slo.id,
        "title": slo.title,
        "service": slo.service,
        "owner": slo.owner,
        "tier": slo.tier,
        "objective": slo.objective,
        "window": {
            "start": _time(account.start),
            "end": _time(account.end),
            "seconds": round(account.end - account.start, 3),
            "period": window or period,
        },
        "coverage": None if account.coverage is None else round(account.coverage, 6),
        "bad": count.bad,
        "total": count.total,
        "spent_ratio": round(count.bad / allowed, _DIGITS) if allowed else None,
        "contributors": {
            dimension: [_contributor(each, count.bad, allowed, traces) for each in found]
            for dimension, found in account.contributions.items()
        },
    }


def _contributor(each: Contribution, bad: float, allowed: float, traces: str | None) -> Mapping[str, Any]:
    return {
        "contributor": each.contributor,
        "bad": each.bad,
        "share": round(each.bad / bad, _DIGITS),
        "spent_ratio": round(each.bad / allowed, _DIGITS) if allowed else None,
        "traces": [_trace(trace, traces) for trace in each.traces],
    }


def _trace(trace: Trace, traces: str | None) -> Mapping[str, Any]:
    url = None if traces is None else traces.replace("{trace_id}", trace.id)
    return {"trace_id": trace.id, "at": _time(trace.at), "url": url}


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
