"""Cases of the alerts on objectives, of which the reference service's are evaluated."""

from collections.abc import Mapping

from tests.stack.alerts.case import Case, Told, alive, counted, held, named

_AVAILABLE = {"service_name": "shop", "slo": "service-availability", "tier": "1", "owner": "platform"}


def _events(
    *phases: tuple[int, float, float] | int, of: str = "shop", slo: str = "service-availability", instance: str = "a"
) -> Mapping[str, str]:
    """Return events: for so many steps, so many good and so many bad ones."""
    good = counted(*(each if isinstance(each, int) else each[:2] for each in phases))
    bad = counted(*(each if isinstance(each, int) else (each[0], each[2]) for each in phases))
    name = "mita_slo_events_total"
    return {
        f"{name}{{{named(of, instance, slo=slo, outcome='good')}}}": good,
        f"{name}{{{named(of, instance, slo=slo, outcome='bad')}}}": bad,
    }


_OLD = f"mita_slo_events_total{{{named(instance='old', slo='service-availability', outcome='bad')}}}"
"""Failures of long ago."""

_ALL_BURN = "".join(f" {window}: 1000.0" for window in ("1d", "1h", "2h", "30m", "3d", "5m", "6h"))

FAST = (
    Case(
        alert="MitaErrorBudgetBurnFast",
        shows="3 % of the requests fail for an hour; 1.4 % of another's, four of eight in a night, a fifth of few",
        step="1m",
        every="5m",
        series={
            **_events((360, 1000, 0), (60, 970, 30), (60, 1000, 0)),
            **_events((360, 1000, 0), (60, 986, 14), (60, 1000, 0), of="calm"),
            **_events((360, 0.1, 0), (40, 0.1, 0.1), (80, 0.1, 0), of="night"),
            **_events((360, 1000, 0), (120, 4, 1), of="quiet"),
        },
        quiet=("6h", "6h25m", "7h20m"),
        told={
            "6h45m": (
                Told(
                    labels=_AVAILABLE,
                    value={
                        "printf": "22.5",
                        "query": " 1d: 3.3 1h: 22.5 2h: 11.2 30m: 30.0 3d: 3.3 5m: 30.0 6h: 3.7",
                    },
                ),
            )
        },
    ),
    Case(
        alert="MitaErrorBudgetBurnFast",
        shows="0.8 % fail for 6 hours: too little for the hour's window, and enough for that of 6",
        step="1m",
        every="5m",
        series=_events((360, 1000, 0), (360, 992, 8)),
        quiet=("10h25m",),
        told={
            "11h": (
                Told(
                    labels=_AVAILABLE,
                    value={"printf": "6.7", "query": " 1d: 3.6 1h: 8.0 2h: 8.0 30m: 8.0 3d: 3.6 5m: 8.0 6h: 6.7"},
                ),
            )
        },
    ),
    Case(
        alert="MitaErrorBudgetBurnFast",
        shows="an objective of a half cannot burn 14.4 times too fast: nine tenths of a total outage are told",
        step="1m",
        every="5m",
        series=_events((120, 1000, 0), (80, 0, 1000), slo="service-latency-p50"),
        quiet=("2h50m",),
        told={
            "3h5m": (
                Told(
                    labels={**_AVAILABLE, "slo": "service-latency-p50"},
                    value={"printf": "2.0", "query": " 1d: 0.7 1h: 2.0 2h: 1.1 30m: 2.0 3d: 0.7 5m: 2.0 6h: 0.7"},
                ),
            )
        },
    ),
    Case(
        alert="MitaErrorBudgetBurnFast",
        shows="a service that fails from its first minute on is told; one whose first hour is a little bad is not",
        step="1m",
        every="5m",
        series={**_events((60, 0, 100)), **_events((60, 990, 10), of="calm")},
        told={
            "15m": (Told(labels=_AVAILABLE, value={"printf": "1000.0", "query": _ALL_BURN}),),
            "55m": (Told(labels=_AVAILABLE, value={"printf": "1000.0", "query": _ALL_BURN}),),
        },
    ),
    Case(
        alert="MitaErrorBudgetBurnFast",
        shows="processes are replaced, and Prometheus was away for 20 minutes: no event failed",
        step="1m",
        series={
            **_events((40, 1000, 0), 20, (60, 1000, 0)),
            **_events((40, 500, 0), instance="b"),
            **_events(41, (79, 500, 0), instance="c"),
            _OLD: "900+0x39 _x20 900+0x59",
        },
        quiet=("41m", "60m", "61m", "65m", "90m"),
    ),
)


def _recorded(
    of: str,
    steps: int,
    *,
    burn: Mapping[str, str],
    bad: str,
    left: str = "",
    watched: float = 1,
    spent: float = 0.5,
    allowed: float = 100,
) -> Mapping[str, str]:
    """Return what rules record of an objective.

    Args:
        of: the service.
        steps: between the first and the last sample.
        burn: rates by window.
        bad: events of 5 minutes.
        left: of the budget.
        watched: share of the period.
        spent: share of the budget in each window.
        allowed: bad events of the whole period.
    """
    mine = f'service_name="{of}", slo="service-availability"'
    constant = f"0x{steps - 1}"
    owned = 'slo="service-availability", tier="1", owner="platform"'
    factors = {"1d": 3, "3d": 1}
    return {
        **{f'mita_slo:burn_rate:ratio{{{mine}, window="{window}"}}': values for window, values in burn.items()},
        f'mita_slo:events:increase5m{{{mine}, outcome="bad"}}': bad,
        f'mita_error_budget_remaining{{{mine}, period="30d"}}': left or f"1+{constant}",
        f'mita_slo:coverage:ratio{{{mine}, period="30d"}}': f"{watched}+{constant}",
        f'mita_slo:objective:ratio{{{owned}, type="availability"}}': f"0.999+{constant}",
        f"mita_slo:period:seconds{{{owned}}}": f"2592000+{constant}",
        f'mita_slo:allowed:events{{{mine}, period="30d"}}': f"{allowed}+{constant}",
        **{f'mita_slo:spent:ratio{{{mine}, window="{window}"}}': f"{spent}+{constant}" for window in factors},
        **{
            f'mita_slo:alert:factor{{{owned}, severity="ticket", window="{window}"}}': f"{factor}+{constant}"
            for window, factor in factors.items()
        },
    }


SLOW = (
    Case(
        alert="MitaErrorBudgetBurnSlow",
        shows="the last day and its last 2 hours burn 4 times too fast; another day is over, a third's cost little",
        step="5m",
        is_recorded=True,
        series={
            **_recorded(
                "shop", 60, burn={"1d": held((60, 4)), "2h": held((12, 1), (24, 4), (24, 0))}, bad=held((60, 2))
            ),
            **_recorded("calm", 60, burn={"1d": held((60, 4)), "2h": held((60, 2.9))}, bad=held((60, 2))),
            **_recorded("new", 60, burn={"1d": held((60, 4)), "2h": held((60, 4))}, bad=held((60, 2)), spent=0.09),
            **_recorded("night", 60, burn={"1d": held((60, 99)), "2h": held((60, 99))}, bad=held((20, 0.2), (40, 0))),
        },
        quiet=("55m", "70m", "3h40m"),
        told={"80m": (Told(labels=_AVAILABLE, value={"printf": "4.0", "query": " 1d: 4.0 2h: 4.0"}),)},
    ),
    Case(
        alert="MitaErrorBudgetBurnSlow",
        shows="3 days burn a little too fast, and still do",
        step="5m",
        is_recorded=True,
        series=_recorded("shop", 40, burn={"3d": held((40, 1.1)), "6h": held((12, 0.9), (28, 1.2))}, bad=held((40, 1))),
        quiet=("55m", "70m"),
        told={"80m": (Told(labels=_AVAILABLE, value={"printf": "1.1", "query": " 3d: 1.1 6h: 1.2"}),)},
    ),
    Case(
        alert="MitaErrorBudgetExhausted",
        shows="the budget is overdrawn; a hundredth of another is left, a third only began, a fourth has hardly one",
        step="5m",
        is_recorded=True,
        series={
            **_recorded("shop", 60, burn={}, bad=held((60, 0)), left=held((12, 0.1), (24, -0.25), (24, 0.05))),
            **_recorded("calm", 60, burn={}, bad=held((60, 0)), left=held((60, 0.01))),
            **_recorded("new", 60, burn={}, bad=held((60, 0)), left=held((60, -9)), watched=0.05),
            **_recorded("few", 60, burn={}, bad=held((60, 0)), left=held((60, -1)), allowed=2),
        },
        quiet=("60m", "3h10m"),
        told={"70m": (Told(labels={**_AVAILABLE, "period": "30d"}, value={"humanizePercentage": "-25%"}),)},
    ),
    Case(
        alert="MitaErrorBudgetExhaustionPredicted",
        shows="40 % are left and last for 2 days; of another service for 4, of a third nothing is left, a fourth's few",
        step="5m",
        is_recorded=True,
        series={
            **_recorded(
                "shop", 60, burn={"1d": held((12, 1), (28, 6), (20, 1))}, bad=held((60, 2)), left=held((60, 0.4))
            ),
            **_recorded("calm", 60, burn={"1d": held((60, 3))}, bad=held((60, 2)), left=held((60, 0.4))),
            **_recorded("spent", 60, burn={"1d": held((60, 6))}, bad=held((60, 2)), left=held((60, -0.4))),
            **_recorded("night", 60, burn={"1d": held((60, 6))}, bad=held((1, 4), (59, 0)), left=held((60, 0.4))),
            **_recorded("new", 60, burn={"1d": held((60, 6))}, bad=held((60, 2)), left=held((60, 0.4)), watched=0.05),
        },
        quiet=("60m", "115m", "3h25m"),
        told={
            "130m": (Told(labels={**_AVAILABLE, "period": "30d"}, value={"humanizeDuration": "2d 0h 0m 0s"}),),
        },
    ),
    Case(
        alert="MitaSloViolated",
        shows="the last day had twice as many bad events as are allowed; another's nine tenths, a third's only four",
        step="5m",
        is_recorded=True,
        series={
            **_recorded("shop", 60, burn={"1d": held((12, 0.5), (24, 2), (24, 0.5))}, bad=held((60, 2))),
            **_recorded("calm", 60, burn={"1d": held((60, 0.9))}, bad=held((60, 2))),
            **_recorded("night", 60, burn={"1d": held((60, 9))}, bad=held((1, 4), (59, 0))),
        },
        quiet=("60m", "85m", "3h5m"),
        told={"95m": (Told(labels=_AVAILABLE, value={"printf": "2.0"}),)},
    ),
    Case(
        alert="MitaSloTelemetryAbsent",
        shows="a service lives and counts no longer, as after a deployment that lost its file; another one ended",
        step="1m",
        series={
            **alive(120),
            **_events((40, 10, 0), 40, (40, 10, 0)),
            **alive(40, "gone"),
            **_events((40, 10, 0), of="gone"),
            **alive(120, "never"),
        },
        quiet=("40m", "58m", "81m", "110m"),
        told={"61m": (Told(labels={"service_name": "shop"}),)},
    ),
)

SLO = (*FAST, *SLOW)
