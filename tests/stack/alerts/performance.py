"""Cases of the alerts on what is slow."""

from collections.abc import Mapping

from tests.stack.alerts.case import Case, Told, alive, counted, held, named

_SHOP = {"service_name": "shop"}
_POOL = "db:5432/shop"
_IN_POOL = {"db_client_connection_pool_name": _POOL, "db_system_name": "postgresql"}


def _durations(
    name: str, bounds: tuple[str, str], *phases: tuple[int, float, float], **labels: str
) -> Mapping[str, str]:
    """Return a histogram of two buckets and the rest: for so many steps, so many below the first, so many above it."""
    below, beyond = bounds
    of = labels.pop("of", "shop")
    fast = counted(*((steps, few) for steps, few, _ in phases))
    every = counted(*((steps, few + many) for steps, few, many in phases))
    return {
        f"{name}_bucket{{{named(of, le=below, **labels)}}}": fast,
        f"{name}_bucket{{{named(of, le=beyond, **labels)}}}": every,
        f"{name}_bucket{{{named(of, le='+Inf', **labels)}}}": every,
        f"{name}_count{{{named(of, **labels)}}}": every,
    }


_REQUESTS = "http_server_request_duration_seconds"
_QUERIES = "db_client_operation_duration_seconds"
_LAG = "mita_event_loop_lag_seconds"

QUANTILES = (
    Case(
        alert="MitaHighLatency",
        shows="a tenth of the requests takes 1 to 2 s for 15 minutes; 4 % of another's, half of a few in a night",
        series={
            **_durations(_REQUESTS, ("1.0", "2.0"), (20, 100, 0), (60, 90, 10), (120, 100, 0)),
            **_durations(_REQUESTS, ("1.0", "2.0"), (20, 100, 0), (60, 96, 4), (120, 100, 0), of="calm"),
            **_durations(_REQUESTS, ("1.0", "2.0"), (20, 0.2, 0), (60, 0.2, 0.2), (120, 0.2, 0), of="night"),
        },
        quiet=("5m", "17m", "30m"),
        told={"19m": (Told(labels=_SHOP, value={"humanizeDuration": "1.5s"}),)},
    ),
    Case(
        alert="MitaHighLatency",
        shows="bounds may be written without a fraction",
        series=_durations(_REQUESTS, ("1", "2"), (20, 100, 0), (80, 90, 10)),
        told={"19m": (Told(labels=_SHOP, value={"humanizeDuration": "1.5s"}),)},
    ),
    Case(
        alert="MitaSlowDatabaseQueries",
        shows="a tenth of the queries takes 0.5 to 1 s; commands of Redis that are as slow are no queries",
        series={
            **_durations(
                _QUERIES,
                ("0.5", "1.0"),
                *((20, 100, 0), (60, 90, 10), (120, 100, 0)),
                db_system_name="postgresql",
                db_namespace="shop",
            ),
            **_durations(_QUERIES, ("0.5", "1.0"), (200, 90, 10), of="calm", db_system_name="redis", db_namespace="0"),
            **_durations(
                _QUERIES, ("0.5", "1.0"), (200, 96, 4), of="calm", db_system_name="postgresql", db_namespace="calm"
            ),
        },
        quiet=("5m", "10m45s", "27m"),
        told={
            "14m": (Told(labels={**_SHOP, "db_namespace": "shop"}, value={"humanizeDuration": "750ms"}),),
        },
    ),
    Case(
        alert="MitaEventLoopBlocked",
        shows="a twentieth of the timers of one process is late by 0.25 to 0.5 s; a two-hundredth of another one's",
        series={
            **_durations(_LAG, ("0.25", "0.5"), (20, 100, 0), (60, 95, 5), (120, 100, 0)),
            **_durations(_LAG, ("0.25", "0.5"), (20, 200, 0), (60, 199, 1), (120, 200, 0), of="calm"),
        },
        quiet=("5m", "10m", "27m"),
        told={"14m": (Told(labels={**_SHOP, "instance": "a"}, value={"humanizeDuration": "450ms"}),)},
    ),
)


def _pool(used: str, allowed: str, of: str = "shop") -> Mapping[str, str]:
    return {
        f"db_client_connection_count{{{named(of, db_client_connection_state='used', **_IN_POOL)}}}": used,
        f"db_client_connection_count{{{named(of, db_client_connection_state='idle', **_IN_POOL)}}}": "1+0x400",
        f"db_client_connection_max{{{named(of, **_IN_POOL)}}}": allowed,
    }


_OF_POOL = {**_SHOP, "instance": "a", "db_client_connection_pool_name": _POOL}

POOLS = (
    Case(
        alert="MitaDatabasePoolSaturated",
        shows="19 of 20 connections are in use for 10 minutes; 18 of another's, all of a third's for 4 minutes",
        series={
            **_pool(held((20, 3), (40, 19), (40, 3)), held((100, 20))),
            **_pool(held((20, 3), (40, 18), (40, 3)), held((100, 20)), "calm"),
            **_pool(held((20, 3), (16, 20), (64, 3)), held((100, 20)), "brief"),
        },
        quiet=("5m", "9m45s", "15m15s"),
        told={"10m15s": (Told(labels=_OF_POOL, value={"humanizePercentage": "95%"}),)},
    ),
    Case(
        alert="MitaDatabasePoolSaturated",
        shows="a process ends whose pool was saturated for 3 minutes: its last word is no longer believed then",
        series={**alive(32), **_pool(held((20, 3), (12, 20)), held((32, 20)))},
        quiet=("8m", "10m15s", "11m", "12m"),
    ),
    Case(
        alert="MitaDatabasePoolSaturated",
        shows="a pool without a bound, or of which none is told, is never saturated",
        series={
            **_pool(held((100, 19)), held((100, 0))),
            f"db_client_connection_count{{{named('calm', db_client_connection_state='used', **_IN_POOL)}}}": "9+0x99",
        },
        quiet=("10m", "20m"),
    ),
    Case(
        alert="MitaDatabasePoolExhaustionPredicted",
        shows="12 of 30 connections leak within an hour and are returned; another process's step up and down",
        step="1m",
        series={
            **_pool(counted((40, 0), (60, 0.3), start=8) + " " + held((60, 8)), held((160, 30))),
            **_pool(held((40, 8), (30, 20), (30, 8), (30, 20), (30, 8)), held((160, 30)), "calm"),
            **_pool(counted((100, 0.02), start=14), held((160, 30)), "slow"),
        },
        quiet=("40m", "65m", "110m", "150m"),
        told={"92m": (Told(labels=_OF_POOL, value={"humanizePercentage": "138.7%"}),)},
    ),
    Case(
        alert="MitaTimeouts",
        shows="2 % of the requests give up waiting for a connection; 0.5 % of another service's, four in a night",
        series={
            f"http_server_request_duration_seconds_count{{{named()}}}": counted((200, 50)),
            f"mita_timeouts_total{{{named(scope='pool')}}}": counted((20, 0), (60, 1), (120, 0)),
            f"mita_timeouts_total{{{named(scope='cache')}}}": counted((200, 0)),
            f"http_server_request_duration_seconds_count{{{named('calm')}}}": counted((200, 50)),
            f"mita_timeouts_total{{{named('calm', scope='database')}}}": counted((20, 0), (60, 0.25), (120, 0)),
            f"http_server_request_duration_seconds_count{{{named('night')}}}": counted((200, 0.2)),
            f"mita_timeouts_total{{{named('night', scope='pool')}}}": counted((20, 0), (60, 0.2), (120, 0)),
        },
        quiet=("5m", "12m", "27m"),
        told={"14m": (Told(labels={**_SHOP, "scope": "pool"}, value={"humanizePercentage": "2%"}),)},
    ),
)

PERFORMANCE = (*QUANTILES, *POOLS)
