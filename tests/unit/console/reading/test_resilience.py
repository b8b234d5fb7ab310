"""What services bear is read from their metrics and from what they told."""

from mita_otel.console.reading import resilience, wellness
from mita_otel.console.reading.figures import Figures
from mita_otel.console.reading.resilience import Backend, Change, Flag, Limit, Resilience, resilience_of
from mita_otel.console.store.telling import Event
from mita_otel.metrics.catalogue import breakers, degradation, health, reliability, retries
from tests.fixtures.console_figures import Measured, counter, gauge, histogram, one_hot
from tests.fixtures.console_file import AT, SECOND, ConsoleFile, Line, id_of, logs, metrics

BANK = {"service": "bank"}
START = {"start": -60.0}
"""Counted from within the stretch of time on."""


def read(file: ConsoleFile, service: str = "") -> Resilience:
    return file.reader.run(
        lambda connection: resilience_of(connection, Figures(connection, AT - 900 * SECOND, AT, service))
    )


def test_the_names_are_the_catalogue_s() -> None:
    assert {
        resilience.BREAKER_STATE: breakers.STATE.name,
        resilience.BREAKER_SECONDS: breakers.STATE_DURATION.name,
        resilience.BREAKER_CALLS: breakers.CALLS.name,
        resilience.BREAKER_WOULD_REJECT: breakers.WOULD_REJECT.name,
        resilience.LIMIT_REQUESTS: reliability.RATE_LIMIT_REQUESTS.name,
        resilience.LIMIT_UTILIZATION: reliability.RATE_LIMIT_UTILIZATION.name,
        resilience.LIMIT_BACKEND: reliability.RATE_LIMIT_BACKEND_STATE.name,
        resilience.LIMIT_REPLICAS: reliability.RATE_LIMIT_REPLICAS.name,
        resilience.RETRY_CALLS: retries.CALLS.name,
        resilience.RETRY_ATTEMPTS: retries.ATTEMPTS.name,
        resilience.RETRY_EXHAUSTED: retries.EXHAUSTED.name,
        resilience.RETRY_WAIT: retries.WAIT.name,
        resilience.RETRY_BUDGET: retries.BUDGET.name,
        resilience.TIMEOUTS: reliability.TIMEOUTS.name,
        resilience.MODE: degradation.ACTIVE.name,
        resilience.SERVED: degradation.SERVED.name,
        resilience.FLAGS: degradation.EVALUATIONS.name,
        wellness.STATUS: health.STATUS.name,
        wellness.READY: health.READY.name,
        wellness.CHECK: health.CHECK.name,
        wellness.RESPONSE_TIME: health.SERVICE_RESPONSE_TIME.name,
        wellness.FAILURES: health.CHECK_FAILURES.name,
    } == {own: own for own in (*map(str, _names(resilience)), *map(str, _names(wellness)))}


def _names(module: object) -> list[str]:
    constants = [value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)]
    return [value for value in constants if value.startswith("mita.")]


def test_an_empty_console_bears_nothing(file: ConsoleFile) -> None:
    assert read(file) == Resilience({}, [], [], [], [], {}, [], [])


def test_a_breaker_has_its_state_its_calls_and_its_history(file: ConsoleFile) -> None:
    told = {
        "event.name": Event.BREAKER.value,
        "circuit_breaker.name": "bank",
        "circuit_breaker.state": "open",
        "circuit_breaker.state.previous": "closed",
        "circuit_breaker.reason": "failures",
        "circuit_breaker.causes": ["ab" * 16],
    }
    calls = [
        Measured(value, labels={**BANK, "outcome": outcome}, **START)
        for outcome, value in (("failure", 5), ("rejected", 9))
    ]
    file.send(
        metrics("shop", one_hot(resilience.BREAKER_STATE, "state", "open", "closed", **BANK)),
        metrics("shop", counter(resilience.BREAKER_CALLS, *calls)),
        metrics("shop", counter(resilience.BREAKER_SECONDS, Measured(40, labels={**BANK, "state": "open"}, **START))),
        metrics("shop", counter(resilience.BREAKER_WOULD_REJECT, Measured(2, labels=BANK, **START))),
        logs("shop", Line("opened", -5, trace=4, attributes=told)),
    )
    (breaker,) = read(file).breakers
    assert (breaker.service, breaker.name, breaker.states) == ("shop", "bank", {"open": 1})
    assert breaker.calls == {"failure": 5, "rejected": 9}
    assert (breaker.seconds, breaker.would_reject) == ({"open": 40}, 2)
    assert breaker.changes == [Change(AT - 5, "closed", "open", "failures", id_of(4, 16), ["ab" * 16])]


def test_a_breaker_that_is_gone_keeps_its_history(file: ConsoleFile) -> None:
    told = {"event.name": Event.BREAKER.value, "circuit_breaker.name": "old", "circuit_breaker.state": "open"}
    file.send(logs("shop", Line("opened", attributes=told)))
    (breaker,) = read(file).breakers
    assert (breaker.name, breaker.states, len(breaker.changes)) == ("old", {}, 1)


def test_limits_come_with_their_backend(file: ConsoleFile) -> None:
    api = {"policy": "api"}
    results = [
        Measured(value, labels={**api, "result": result}, **START) for result, value in (("allowed", 7), ("blocked", 3))
    ]
    file.send(
        metrics("shop", counter(resilience.LIMIT_REQUESTS, *results)),
        metrics(
            "shop", histogram(resilience.LIMIT_UTILIZATION, (Measured(labels=api, **START), [0, 10]), bounds=[0.5])
        ),
        metrics("shop", one_hot(resilience.LIMIT_BACKEND, "state", "down", "up", "local")),
        metrics("shop", gauge(resilience.LIMIT_REPLICAS, Measured(4))),
    )
    found = read(file)
    assert found.limits == [Limit("shop", "api", {"allowed": 7, "blocked": 3}, 0.5)]
    assert found.backends == [Backend("shop", {"down": 1}, 4)]


def test_retries_have_their_amplification(file: ConsoleFile) -> None:
    rates = {"dependency": "rates"}
    attempts = [
        Measured(value, labels={**rates, "outcome": outcome}, **START)
        for outcome, value in (("success", 10), ("failure", 5))
    ]
    file.send(
        metrics("shop", counter(resilience.RETRY_CALLS, Measured(10, labels=rates, **START))),
        metrics("shop", counter(resilience.RETRY_ATTEMPTS, *attempts)),
        metrics(
            "shop", counter(resilience.RETRY_EXHAUSTED, Measured(1, labels={**rates, "reason": "budget"}, **START))
        ),
        metrics("shop", counter(resilience.RETRY_WAIT, Measured(2.5, labels=rates, **START))),
        metrics("shop", gauge(resilience.RETRY_BUDGET, Measured(3, labels=rates))),
    )
    (found,) = read(file).retries
    assert (found.dependency, found.calls, found.amplification) == ("rates", 10, 1.5)
    assert (found.exhausted, found.waited, found.budget) == ({"budget": 1}, 2.5, 3)


def test_nothing_was_amplified_without_calls(file: ConsoleFile) -> None:
    file.send(metrics("shop", counter(resilience.RETRY_CALLS, Measured(0, labels={"dependency": "rates"}, **START))))
    assert read(file).retries[0].amplification is None


def test_flags_have_their_variants_and_reasons(file: ConsoleFile) -> None:
    evaluations = [
        Measured(value, labels={"key": "insights", "variant": variant, "reason": reason}, **START)
        for variant, reason, value in (("on", "static", 4), ("on", "split", 1), ("off", "split", 2))
    ]
    file.send(metrics("shop", counter(resilience.FLAGS, *evaluations)))
    assert read(file).flags == [Flag("shop", "insights", {"on": 5, "off": 2}, {"static": 4, "split": 3})]


def test_what_stands_was_heard_some_time(file: ConsoleFile) -> None:
    for service, time in (("shop", -5), ("bank", -500)):
        file.send(metrics(service, gauge(resilience.RETRY_BUDGET, Measured(3, time), Measured(3, time - 60))))
    assert read(file).heard == {"shop": AT - 5 * SECOND, "bank": AT - 500 * SECOND}


def test_timeouts_are_by_service_and_scope(file: ConsoleFile) -> None:
    file.send(metrics("shop", counter(resilience.TIMEOUTS, Measured(2, labels={"scope": "database"}, **START))))
    assert read(file).timeouts == {"shop": {"database": 2}}


def test_a_feature_has_its_mode_and_what_it_was_before(file: ConsoleFile) -> None:
    told = {
        "event.name": Event.DEGRADATION.value,
        "mita.degraded.feature": "insights",
        "mita.degraded.mode": "cached",
        "mita.degraded.previous_mode": "full",
        "mita.degraded.cause": "circuit_open",
    }
    served = Measured(6, labels={"feature": "insights", "mode": "cached", "cause": "circuit_open"}, **START)
    file.send(
        metrics("shop", one_hot(resilience.MODE, "mode", "cached", "full", feature="insights")),
        metrics("shop", counter(resilience.SERVED, served)),
        logs("shop", Line(attributes=told)),
    )
    (feature,) = read(file).features
    assert (feature.name, feature.modes, feature.served) == ("insights", {"cached": 1}, {"cached": 6})
    assert feature.changes == [Change(AT, "full", "cached", "circuit_open", b"")]


def test_one_service_is_read_alone(file: ConsoleFile) -> None:
    for service in ("shop", "bank"):
        file.send(metrics(service, counter(resilience.TIMEOUTS, Measured(2, labels={"scope": "cache"}, **START))))
    assert list(read(file, "bank").timeouts) == ["bank"]
