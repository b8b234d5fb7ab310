"""What is promised, what was kept of it, how fast the budget goes, and who spent it."""

from typing import Final

from mita_otel.dashboards import promises, uids
from mita_otel.dashboards.boards import shared
from mita_otel.dashboards.model import Board, Panel, Query, Row
from mita_otel.dashboards.panels import bars, chart, number, table
from mita_otel.dashboards.promql import or_zero, rate, rise, select, total, whole
from mita_otel.slo.series import BURN_RATE, INDICATOR, OBJECTIVE, REMAINING, SLI, SUMS
from mita_otel.slo.specification import Specification
from mita_otel.slo.windows import DAY

_SLO: Final = "~$slo"
_SPENT: Final = "mita_slo_spent_total"
_MONTH: Final = "30d"


def board(specification: Specification) -> Board:
    """Return the dashboard."""
    return Board(
        uid=uids.SLO,
        title="Objectives and error budgets",
        description="What is promised, what was kept of it, how fast the budget goes, and what spent it.",
        variables=("environment", "service", "instance", "slo"),
        time="6h",
        rows=(
            Row("Now", _now(specification)),
            Row("Budgets", _budgets()),
            Row("Kept and promised", _kept(specification)),
            Row("What spent the budget", _ledger()),
            Row("Thirty days", _trend()),
            Row("Lines", (shared.worrying_logs(),)),
        ),
    )


def _now(specification: Specification) -> tuple[Panel, ...]:
    return (
        number(
            "Objectives kept",
            "Objectives whose period is kept, of those that had events. From mita_slo:sli:ratio.",
            Query(f"count({whole(SLI, slo=_SLO)} >= on (slo) group_left () {_objective()}) or on () vector(0)", "kept"),
            Query(f"count({whole(SLI, slo=_SLO)})", "of"),
            height=9,
        ),
        table(
            "Every objective",
            "The share that was good in the period beside what is promised, the budget that is left, and how fast it "
            "goes. Worst budgets on top: sorted by what is spent. Recorded by rules, of a whole service.",
            Query(f"max by (slo) (1 - {whole(REMAINING, slo=_SLO)})", "Budget spent", at_once=True, unit="percentunit"),
            Query(
                f"min by (slo) ({whole(REMAINING, slo=_SLO)})",
                "Budget left",
                at_once=True,
                unit="percentunit",
                steps=promises.budget(),
            ),
            Query(f"min by (slo) ({whole(SLI, slo=_SLO)})", "Good", at_once=True, unit="percentunit"),
            Query(_objective(), "Objective", at_once=True, unit="percentunit"),
            *(
                Query(
                    f"max by (slo) ({whole(BURN_RATE, slo=_SLO, window=window)})",
                    f"Burn {window}",
                    at_once=True,
                    steps=promises.burn(),
                )
                for window in ("1h", "6h", "3d")
            ),
            headings={"slo": "Objective of"},
            leads={"slo": (uids.SLO, "slo")},
            decimals=3,
            width=20,
            height=9,
        ),
        chart(
            "Throughput",
            "Requests a second, beside what is expected. A rate to look at: it has no budget, for a quiet night fails "
            "nobody. From mita_slo:indicator:rate.",
            Query(whole(INDICATOR), "{{indicator}}"),
            unit="reqps",
            steps=((None, "green"), *((one.reference, "blue") for one in specification.indicators)),
            width=24,
            height=6,
        ),
    )


def _objective() -> str:
    return f"max by (slo) ({select(OBJECTIVE, slo=_SLO)})"


def _budgets() -> tuple[Panel, ...]:
    pace = f"min by (slo) ({_period_seconds()} / ({whole(BURN_RATE, slo=_SLO, window='1h')} > 0))"
    return (
        chart(
            "Error budget burn-down",
            "Share of each budget that is left, below 0 where more is spent. The lines are the stages of the policy. A "
            "steep fall is an incident, a long slope a defect. From mita_error_budget_remaining.",
            Query(f"min by (slo) ({whole(REMAINING, slo=_SLO)})", "{{slo}}"),
            unit="percentunit",
            steps=promises.budget(),
            width=12,
            height=10,
        ),
        chart(
            "Error budget burn rate",
            "How many times faster than allowed the budgets go, of the ten worst of an hour. The lines are the factors "
            "of the alerts. From mita_slo:burn_rate:ratio.",
            Query(f"topk(10, {whole(BURN_RATE, slo=_SLO, window='1h')})", "{{slo}}"),
            steps=promises.burn(),
            width=12,
            height=10,
        ),
        chart(
            "Burn rate by window",
            "The fastest burn of the chosen objectives in each window. An alert needs a long window and a short one "
            "together: the short ones fall first when it is over. From mita_slo:burn_rate:ratio.",
            Query(f"max by (window) ({whole(BURN_RATE, slo=_SLO)})", "{{window}}"),
            steps=promises.burn(),
            width=12,
        ),
        bars(
            "Time until a budget is gone",
            "If the last hour went on: the period by the burn of an hour, at most the period itself. From "
            "mita_slo:burn_rate:ratio.",
            Query(f"bottomk(10, {pace} or {_period_seconds()} + 0 * {_objective()})", "{{slo}}", at_once=True),
            unit="s",
            steps=((None, promises.BAD), (DAY, promises.POOR), (7 * DAY, promises.GOOD)),
            width=12,
        ),
    )


def _period_seconds() -> str:
    return str(30 * DAY)


def _kept(specification: Specification) -> tuple[Panel, ...]:
    return (
        _compliance(
            specification, "Availability SLO vs actual", "availability", "answered, and not by a server's error"
        ),
        _compliance(specification, "Latency SLO compliance", "latency", "answered within the promised time"),
        _compliance(
            specification,
            "Correctness metrics",
            "correctness",
            "processed as they should be",
        ),
        chart(
            "Events",
            "What the objectives are about: events a second that were as promised, and that were not. From "
            "mita_slo:events:increase5m.",
            Query(f"sum by (outcome) ({whole(SUMS, slo=_SLO)}) / 300", "{{outcome}}"),
            unit="ops",
            width=12,
        ),
    )


def _compliance(specification: Specification, title: str, kind: str, what: str) -> Panel:
    """Return what was kept in the last hour of every objective of a type, and what is promised."""
    ids = "~" + "|".join(slo.id for slo in specification.slos if slo.type == kind)
    objective = f"max by (slo) ({select(OBJECTIVE, slo=ids)})"
    burn = f"max by (slo) ({whole(BURN_RATE, slo=ids, window='1h')})"
    return chart(
        title,
        f"Share of the last hour's events that were {what}, of every {kind} objective, and what is promised. Below its "
        "own promise an objective spends budget faster than it may. From mita_slo:burn_rate:ratio and "
        "mita_slo:objective:ratio.",
        Query(f"1 - {burn} * on (slo) group_left () (1 - {objective})", "{{slo}}"),
        Query(objective, "promised: {{slo}}"),
        unit="percentunit",
        from_zero=False,
        decimals=3,
        width=12,
        height=10,
    )


def _ledger() -> tuple[Panel, ...]:
    spent = total(rise(_SPENT, slo=_SLO), "slo", "dimension", "contributor")
    return (
        table(
            "Ledger",
            "Bad events of the chosen time by route, type of error, dependency, version and flag: which of them spent "
            "the budget. Each event is counted once in every dimension. From mita_slo_spent_total.",
            Query(or_zero(f"topk(50, {spent} > 0)"), "Bad events", at_once=True),
            headings={"slo": "Objective", "dimension": "By", "contributor": "What"},
            width=12,
            height=12,
        ),
        chart(
            "Bad events",
            "Bad events a second by route, with traces to click on: what went wrong in one of them. From "
            "mita_slo_spent_total.",
            Query(
                or_zero(total(rate(_SPENT, slo=_SLO, dimension="route"), "contributor")),
                "{{contributor}}",
                exemplars=True,
            ),
            unit="ops",
            width=12,
            height=12,
            stacked=True,
        ),
        *(
            bars(
                f"Spent by {dimension.replace('_', ' ')}",
                f"The ten that caused most of the chosen time's bad events, by {dimension.replace('_', ' ')}. From "
                "mita_slo_spent_total.",
                Query(
                    or_zero(f"topk(10, {total(rise(_SPENT, slo=_SLO, dimension=dimension), 'contributor')} > 0)"),
                    "{{contributor}}",
                    at_once=True,
                ),
                width=6,
                height=6,
            )
            for dimension in ("route", "error_type", "dependency", "version")
        ),
    )


def _trend() -> tuple[Panel, ...]:
    return (
        chart(
            "SLO trend (30 days)",
            "Share that was good in the period before each moment, over thirty days. From mita_slo:sli:ratio.",
            Query(f"min by (slo) ({whole(SLI, slo=_SLO)})", "{{slo}}"),
            from_zero=False,
            decimals=3,
            unit="percentunit",
            since=_MONTH,
            width=12,
            height=10,
        ),
        chart(
            "Budget left over 30 days",
            "Share of each budget that is left, over thirty days: which incident cost how much. From "
            "mita_error_budget_remaining.",
            Query(f"min by (slo) ({whole(REMAINING, slo=_SLO)})", "{{slo}}"),
            unit="percentunit",
            steps=promises.budget(),
            since=_MONTH,
            width=12,
            height=10,
        ),
    )
