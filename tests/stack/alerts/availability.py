"""Cases of the alerts on availability."""

from tests.stack.alerts.case import Case, Told, alive, counted, held, named

SHOP = {"service_name": "shop", "deployment_environment_name": "production"}
_PRODUCTION = {"deployment_environment_name": "production"}


def _requests(status: str, service: str = "shop", **labels: str) -> str:
    return f"http_server_request_duration_seconds_count{{{named(service, http_response_status_code=status, **labels)}}}"


ERRORS = (
    Case(
        alert="MitaHighErrorRate",
        shows="1.6 % of the requests fail for 15 minutes; 0.8 % of another's, all for 30 s, half of a few",
        series={
            _requests("200", **_PRODUCTION): counted((200, 60)),
            _requests("500", **_PRODUCTION): counted((20, 0), (60, 1), (120, 0)),
            _requests("200", "calm"): counted((200, 60)),
            _requests("503", "calm"): counted((20, 0), (60, 0.5), (120, 0)),
            _requests("200", "blip"): counted((200, 60)),
            _requests("500", "blip"): counted((20, 0), (2, 60), (178, 0)),
            _requests("200", "night"): counted((200, 0.2)),
            _requests("500", "night"): counted((20, 0), (60, 0.2), (120, 0)),
        },
        quiet=("5m", "10m15s", "11m", "13m", "27m"),
        told={"14m": (Told(labels=SHOP, value={"humanizePercentage": "1.639%"}),)},
    ),
    Case(
        alert="MitaHighErrorRate",
        shows="staging's failures are not spread over production's requests, nor told as production's",
        series={
            _requests("200", **_PRODUCTION): counted((100, 600)),
            _requests("200", instance="b", deployment_environment_name="staging"): counted((100, 1)),
            _requests("500", instance="b", deployment_environment_name="staging"): counted((100, 1)),
        },
        told={
            "20m": (
                Told(labels={**SHOP, "deployment_environment_name": "staging"}, value={"humanizePercentage": "50%"}),
            )
        },
    ),
    Case(
        alert="MitaHighErrorRate",
        shows="a restart, after which counters begin anew, is no increase, and neither is what Prometheus missed",
        series={
            _requests("200"): counted((40, 60)) + " " + counted((40, 60)),
            _requests("500"): counted((40, 0), start=5000) + " " + counted((40, 0)),
            _requests("200", "gap"): counted((20, 60), 40, (40, 60)),
            _requests("500", "gap"): counted((20, 0), 40, (40, 0), start=700),
        },
        quiet=("10m30s", "12m", "15m30s", "17m", "20m"),
    ),
)

SERVICES = (
    Case(
        alert="MitaServiceDown",
        shows="one of two services falls silent, is told when 9 samples of it are missing, and comes back",
        series={
            f"process_uptime_seconds{{{named(**_PRODUCTION)}}}": counted((40, 15), 40) + " " + counted((80, 15)),
            **alive(160, "calm", **_PRODUCTION),
        },
        quiet=("10m", "11m45s", "20m30s", "30m"),
        told={"12m": (Told(labels=SHOP, value={"humanizeDuration": "2m 15s"}),)},
    ),
    Case(
        alert="MitaServiceDown",
        shows="one of two replicas ends: the service is not down",
        series={**alive(40), **alive(120, instance="b")},
        quiet=("12m", "15m", "20m", "29m"),
    ),
    Case(
        alert="MitaServiceDown",
        shows="Prometheus was away for 10 minutes: nothing is told of that, neither at once nor later",
        series={
            f"process_uptime_seconds{{{named()}}}": counted((40, 15), 40, (80, 15)),
            f"process_uptime_seconds{{{named('other')}}}": counted((40, 15), 41, (80, 15)),
        },
        quiet=("20m15s", "21m", "22m", "25m"),
    ),
)

REPLICAS = (
    Case(
        alert="MitaReplicaMissing",
        shows="one of three does not come back for two hours; another service replaces one of two in 10 minutes",
        step="5m",
        series={
            **alive(160, instance="a"),
            **alive(160, instance="b"),
            f"process_uptime_seconds{{{named(instance='c')}}}": counted((96, 15), 24, (40, 15)),
            **alive(160, "calm", "a"),
            **alive(96, "calm", "b"),
            f"process_uptime_seconds{{{named('calm', 'c')}}}": counted(98, (62, 15)),
        },
        quiet=("7h", "8h10m", "10h5m"),
        told={"8h20m": (Told(labels={"service_name": "shop"}, value={"plain": "2"}),)},
    ),
    Case(
        alert="MitaReplicaMissing",
        shows="a replica that lives and is not ready is missing, too",
        step="5m",
        series={
            **alive(120, instance="a"),
            **alive(120, instance="b"),
            f"mita_health_ready{{{named(instance='a')}}}": held((120, 1)),
            f"mita_health_ready{{{named(instance='b')}}}": held((96, 1), (24, 0)),
        },
        quiet=("8h",),
        told={"8h20m": (Told(labels={"service_name": "shop"}, value={"plain": "1"}),)},
    ),
    Case(
        alert="MitaReplicaMissing",
        shows="every night runs with two replicas instead of three",
        step="5m",
        series={
            **alive(864, instance="a"),
            **alive(864, instance="b"),
            f"process_uptime_seconds{{{named(instance='c')}}}": counted((192, 15), 96, (192, 15), 96, (192, 15), 96),
        },
        quiet=("30h", "41h", "47h", "65h", "71h"),
    ),
    Case(
        alert="MitaReplicaMissing",
        shows="a service that ended as a whole has none that are missing, but is down",
        step="5m",
        series={**alive(96, instance="a"), **alive(96, instance="b")},
        quiet=("8h30m", "9h"),
    ),
)

_POOL = "db:5432/shop"
_ESCAPED = {"db_client_connection_pool_name": _POOL, "db_system_name": "postgresql"}

DEPENDENCIES = (
    Case(
        alert="MitaServiceUnhealthy",
        shows="both processes are in a critical state for 10 minutes; of another service one of two is",
        series={
            f"mita_health_status{{{named(**_PRODUCTION)}}}": held((20, 1), (40, 0.33), (40, 1)),
            f"mita_health_status{{{named(instance='b', **_PRODUCTION)}}}": held((20, 1), (40, 0.33), (40, 1)),
            f"mita_health_status{{{named('calm')}}}": held((20, 1), (40, 0.33), (40, 1)),
            f"mita_health_status{{{named('calm', 'b')}}}": held((100, 1)),
        },
        quiet=("5m", "6m45s", "15m15s"),
        told={"7m15s": (Told(labels=SHOP, value={"printf": "0.33"}),)},
    ),
    Case(
        alert="MitaDatabaseDown",
        shows="both processes are refused for 10 minutes; of another service one of three is, of a third for 45 s",
        series={
            f"mita_database_up{{{named(**_PRODUCTION, **_ESCAPED)}}}": held((20, 1), (40, 0), (40, 1)),
            f"mita_database_up{{{named(instance='b', **_PRODUCTION, **_ESCAPED)}}}": held((20, 1), (40, 0), (40, 1)),
            f"mita_database_up{{{named('calm', **_ESCAPED)}}}": held((20, 1), (40, 0), (40, 1)),
            f"mita_database_up{{{named('calm', 'b', **_ESCAPED)}}}": held((100, 1)),
            f"mita_database_up{{{named('calm', 'c', **_ESCAPED)}}}": held((100, 1)),
            f"mita_database_up{{{named('blip', **_ESCAPED)}}}": held((20, 1), (3, 0), (77, 1)),
        },
        quiet=("5m", "5m45s", "25m30s"),
        told={
            "6m15s": (
                Told(labels={**SHOP, "db_client_connection_pool_name": _POOL}, value={"humanizePercentage": "0%"}),
            )
        },
    ),
    Case(
        alert="MitaDatabaseDown",
        shows="a replica that died while the database was well does not hide that it is down",
        series={
            f"mita_database_up{{{named(**_ESCAPED)}}}": held((20, 1), (40, 0)),
            f"mita_database_up{{{named(instance='b', **_ESCAPED)}}}": held((20, 1)),
        },
        told={
            "6m15s": (
                Told(
                    labels={"service_name": "shop", "db_client_connection_pool_name": _POOL},
                    value={"humanizePercentage": "50%"},
                ),
            )
        },
    ),
    Case(
        alert="MitaCacheDown",
        shows="limits cannot be counted in Redis; another service's cache fails at 40 %, a third's at two of"
        " three in a night",
        series={
            f"mita_rate_limit_backend_state{{{named(state='down', **_PRODUCTION)}}}": held((20, 0), (40, 1), (40, 0)),
            f"mita_rate_limit_backend_state{{{named(state='up', **_PRODUCTION)}}}": held((20, 1), (40, 0), (40, 1)),
            f"mita_cache_operations_total{{{named('calm', status='hit')}}}": counted((100, 6)),
            f"mita_cache_operations_total{{{named('calm', status='error')}}}": counted((100, 4)),
            f"mita_cache_operations_total{{{named('night', status='hit')}}}": counted((100, 0.1)),
            f"mita_cache_operations_total{{{named('night', status='error')}}}": counted((100, 0.2)),
        },
        quiet=("5m", "5m45s", "15m15s"),
        told={"6m15s": (Told(labels=SHOP),)},
    ),
    Case(
        alert="MitaCacheDown",
        shows="60 % of what is asked of the cache fails, and no limit is counted in it",
        series={
            f"mita_cache_operations_total{{{named(status='hit')}}}": counted((100, 4)),
            f"mita_cache_operations_total{{{named(status='error')}}}": counted((20, 0), (40, 6), (40, 0)),
        },
        quiet=("5m", "25m"),
        told={"14m": (Told(labels={"service_name": "shop"}),)},
    ),
    Case(
        alert="MitaCircuitBreakerOpen",
        shows="a breaker opens, probes in vain every minute, and closes; others are for 45 s, or when a process ends",
        series={
            f"mita_circuit_breaker_state{{{named(service='bank', state='open', **_PRODUCTION)}}}": held(
                (20, 0), (4, 1), (1, 0), (4, 1), (1, 0), (30, 1), (40, 0)
            ),
            f"mita_circuit_breaker_state{{{named(service='bank', state='half_open', **_PRODUCTION)}}}": held(
                (20, 0), (4, 0), (1, 1), (4, 0), (1, 1), (30, 0), (40, 0)
            ),
            f"mita_circuit_breaker_state{{{named(service='bank', state='closed', **_PRODUCTION)}}}": held(
                (20, 1), (40, 0), (40, 1)
            ),
            **alive(24, "ends"),
            f"mita_circuit_breaker_state{{{named('ends', service='mail', state='open')}}}": held((22, 0), (2, 1)),
            f"mita_circuit_breaker_state{{{named('calm', service='mail', state='open')}}}": held(
                (20, 0), (3, 1), (77, 0)
            ),
        },
        quiet=("5m", "5m45s", "16m30s"),
        told={"6m15s": (Told(labels={**SHOP, "service": "bank"}),), "9m": (Told(labels={**SHOP, "service": "bank"}),)},
    ),
    Case(
        alert="MitaDataStale",
        shows="nothing refreshes analytics for an hour; others' clocks differ; one is asked for none",
        step="1m",
        series={
            f"mita_last_data_update_timestamp{{{named(**_PRODUCTION)}}}": "0 "
            + counted((9, 60), start=60)
            + " "
            + held((60, 540))
            + " "
            + counted((20, 60), start=4200),
            f"mita_last_data_update_timestamp{{{named('calm')}}}": counted((90, 60), start=-300),
            f"mita_last_data_update_timestamp{{{named('ahead')}}}": counted((90, 60), start=300),
            f"mita_last_data_update_timestamp{{{named('unused')}}}": held((90, 60)),
            _requests("200", http_route="/api/analytics/spending", **_PRODUCTION): counted((90, 3)),
            _requests("200", "calm", http_route="/api/analytics/spending"): counted((90, 3)),
            _requests("200", "ahead", http_route="/api/analytics/spending"): counted((90, 3)),
            _requests("200", "unused", http_route="/api/budgets"): counted((90, 3)),
        },
        quiet=("24m", "28m", "71m"),
        told={"35m": (Told(labels=SHOP, value={"humanizeDuration": "26m 0s"}),)},
    ),
)

AVAILABILITY = (*ERRORS, *SERVICES, *REPLICAS, *DEPENDENCIES)
