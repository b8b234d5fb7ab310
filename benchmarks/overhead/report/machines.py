"""The report for machines."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from benchmarks.overhead.figures import Summary
from benchmarks.overhead.report.conditions import Conditions
from benchmarks.overhead.rounds import Measured
from benchmarks.overhead.variants import OURS


def as_json(measured: Measured, summaries: Mapping[str, Summary], conditions: Conditions) -> str:
    """Return everything: conditions, figures, contents, and each run as it was measured."""
    return json.dumps(
        {
            "conditions": asdict(conditions),
            "variants": {name: asdict(summary) for name, summary in summaries.items()},
            "contents": {name: asdict(seen) for name, seen in measured.looks.items()},
            "runs": [asdict(run) for run in measured.runs],
        },
        indent=1,
        default=str,
    )


def verdict(summaries: Mapping[str, Summary]) -> str:
    """Return one line of JSON: for each kind of request our added CPU over vanilla's, its spread, what was missing.

    The ratio is null where vanilla, bare or ours was not measured.
    """
    ours = summaries.get(OURS)
    kinds = next(iter(summaries.values())).costs if summaries else {}
    return json.dumps({kind: _line(ours, kind) for kind in kinds})


def _line(ours: Summary | None, kind: str) -> dict[str, object]:
    cost = ours.costs[kind] if ours else None
    if cost is None or cost.ratio is None:
        return {"ratio": None}
    found = cost.ratio
    return {
        "ratio": round(found.median, 3),
        "spread": [round(found.low, 3), round(found.high, 3)],
        "missing": list(cost.delivery.missing) if cost.delivery else [],
    }
