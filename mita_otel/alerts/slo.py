"""Alerts on objectives: budgets that burn, are spent, will be, and of which nothing is known."""

from collections.abc import Iterable
from typing import Final

from mita_otel.alerts.alert import Alert
from mita_otel.alerts.promql import HEARTBEAT, SERVICE, labels, total
from mita_otel.dashboards import uids
from mita_otel.metrics.catalogue.slo import EVENTS
from mita_otel.slo.alerts import MIN_BAD, TABLE, Severity
from mita_otel.slo.series import ALLOWED, BURN_RATE, COVERAGE, FACTOR, OBJECTIVE, PERIOD, REMAINING, SPENT, SUMS
from mita_otel.slo.windows import HOUR, shortly

_BY: Final = (*SERVICE, "slo")
_BEARS: Final = (*_BY, "tier", "owner")
_ON: Final = f"on {labels(_BY)}"
_EVENTS: Final = EVENTS.prometheus_name
_ENOUGH: Final = MIN_BAD - 0.5
"""Increases are extrapolated: five events may be 4.9."""
_OWNED: Final = f"on (slo) group_left (tier, owner) 0 * max by (slo, tier, owner) ({OBJECTIVE})"

_LEFT: Final = f"last_over_time({REMAINING}[10m])"
"""Recorded every 5 minutes, and forgotten after as long: for a moment it would not be there."""

_KNOWN: Final = f"(last_over_time({COVERAGE}[10m]) >= 0.1)"
"""A tenth of the period was watched: a budget of which less is known says nothing."""

_BURNS: Final = (
    f'{{{{ range query (printf "{BURN_RATE}{{service_name=%q,deployment_environment_name=%q,slo=%q}}"'
    " $labels.service_name $labels.deployment_environment_name $labels.slo)"
    ' | sortByLabel "window" }} {{ .Labels.window }}: {{ .Value | printf "%.1f" }}{{ end }}'
)
"""The burn rate of each window."""


_BURNS_TOO_FAST: Final = (
    '{{ $labels.slo }} of {{ $labels.service_name }} burns its budget {{ $value | printf "%.1f" }} times too fast'
)


def _bad(window: str, seconds: int) -> str:
    bad = '{outcome="bad"}'
    counted = f"increase({_EVENTS}{bad}[{window}])" if seconds <= HOUR else f"sum_over_time({SUMS}{bad}[{window}])"
    return f"{total(counted, 'slo')} > {_ENOUGH:g}"


def _burning(severity: Severity) -> str:
    """Return where both windows of a pair burn faster than a factor, and that has cost the share that it stands for.

    A factor is a share of the budget at the period's mean traffic. In a quiet hour, or in the first ones of a service,
    the same rate costs less: the bad events are held against what the period allows, and must be more than a few.
    """
    pairs = []
    for each, long, short, _ in TABLE:
        if each == severity:
            window, still = shortly(long), shortly(short)
            burn, factor = f'{BURN_RATE}{{window="{window}"}}', f'{FACTOR}{{severity="{severity}", window="{window}"}}'
            share = f"on (slo) group_left () ({factor} * {long} / on (slo) {PERIOD})"
            pairs.append(
                f"{burn} + {_OWNED}\n"
                f"and {_ON} ({burn} >= on (slo) group_left () {factor})\n"
                f'and {_ON} ({BURN_RATE}{{window="{still}"}} >= on (slo) group_left () {factor})\n'
                f'and {_ON} ({SPENT}{{window="{window}"}} >= {share})\n'
                f"and {_ON} ({_bad(window, long)})"
            )
    return "max without (window) (\n" + "\nor\n".join(pairs) + "\n)"


def _of_slos() -> Iterable[Alert]:
    yield Alert(
        name="MitaErrorBudgetBurnFast",
        expression=_burning("page"),
        lasting="2m",
        keep="5m",
        severity="critical",
        tier=None,
        category="slo",
        by=_BEARS,
        summary=_BURNS_TOO_FAST,
        description=f"At this rate the error budget is gone within days. Burn rates:{_BURNS}.",
        dashboard=uids.SLO,
        traces={"error": "true"},
    )
    yield Alert(
        name="MitaErrorBudgetBurnSlow",
        expression=_burning("ticket"),
        lasting="15m",
        keep="30m",
        severity="warning",
        tier=None,
        category="slo",
        by=_BEARS,
        summary=_BURNS_TOO_FAST,
        description=f"It will not last its period, and there is time to see why. Burn rates:{_BURNS}.",
        dashboard=uids.SLO,
        traces={"error": "true"},
    )
    yield Alert(
        name="MitaErrorBudgetExhausted",
        # Of what was seen for a while only, the share that this is of the whole period; and more than a few events.
        expression=(
            f"{_LEFT} + {_OWNED} <= 0\n"
            f"and {_ON} ((1 - {_LEFT}) * {_ON} last_over_time({COVERAGE}[10m]) >= 1)\n"
            f"and {_ON} ((1 - {_LEFT}) * {_ON} last_over_time({COVERAGE}[10m]) * {_ON}"
            f" last_over_time({ALLOWED}[10m]) > {_ENOUGH:g})"
        ),
        lasting="5m",
        severity="warning",
        tier=None,
        category="slo",
        by=(*_BEARS, "period"),
        summary="{{ $labels.slo }} of {{ $labels.service_name }} has no error budget left",
        description="{{ $value | humanizePercentage }} of the budget of {{ $labels.period }} is left: nothing is"
        " deployed but what mends it.",
        dashboard=uids.SLO,
        traces={"error": "true"},
    )
    day = f'{BURN_RATE}{{window="1d"}}'
    yield Alert(
        name="MitaErrorBudgetExhaustionPredicted",
        expression=(
            f"({_LEFT} > 0) * on (slo) group_left (tier, owner) {PERIOD}"
            f" / {_ON} group_left () max without (window) ({day} > 1) < {3 * 24 * HOUR}\n"
            f"and {_ON} ({_bad('1d', 24 * HOUR)})\nand {_ON} {_KNOWN}"
        ),
        lasting="1h",
        severity="warning",
        tier=None,
        category="slo",
        by=(*_BEARS, "period"),
        summary="{{ $labels.slo }} of {{ $labels.service_name }} will have no error budget in"
        " {{ $value | humanizeDuration }}",
        description="So long does what is left last at the pace of the last day.",
        dashboard=uids.SLO,
        traces={"error": "true"},
    )
    yield Alert(
        name="MitaSloViolated",
        expression=(
            f"max without (window) ({day}) + {_OWNED} > 1\n"
            f'and {_ON} ({SPENT}{{window="1d"}} >= on (slo) group_left () ({24 * HOUR} / {PERIOD}))\n'
            f"and {_ON} ({_bad('1d', 24 * HOUR)})"
        ),
        lasting="30m",
        severity="info",
        tier=None,
        category="slo",
        by=_BEARS,
        summary="{{ $labels.slo }} of {{ $labels.service_name }} was not kept in the last day",
        description='{{ $value | printf "%.1f" }} times as many events were bad as are allowed.',
        dashboard=uids.SLO,
        traces={"error": "true"},
    )
    yield Alert(
        name="MitaSloTelemetryAbsent",
        expression=(
            f"{total(f'last_over_time({_EVENTS}[6h])')} * 0 + 1\n"
            f"unless {total(f'last_over_time({_EVENTS}[10m])')}\n"
            f"and {total(HEARTBEAT)}"
        ),
        lasting="10m",
        severity="warning",
        tier=1,
        category="slo",
        by=SERVICE,
        summary="{{ $labels.service_name }} no longer counts for its objectives",
        description="It lives, and did count within the last six hours: whether it keeps its promises is not known.",
        dashboard=uids.SLO,
        traces=None,
    )


SLO: Final = tuple(_of_slos())
"""Source: observability report, sections 6.2 #5 and 7.3; SRE workbook, 5."""
