"""How well services are: by processes, with their checks and what these told."""

import pytest

from mita_otel.console.reading import wellness
from mita_otel.console.reading.figures import Figures
from mita_otel.console.reading.wellness import Change, Service, wellness_of
from mita_otel.console.store.telling import Event
from mita_otel.health.levels import SHARE
from tests.fixtures.console_figures import Measured, counter, gauge, one_hot
from tests.fixtures.console_file import AT, SECOND, ConsoleFile, Line, logs, metrics


def read(file: ConsoleFile) -> list[Service]:
    return file.reader.run(lambda connection: wellness_of(connection, Figures(connection, AT - 900 * SECOND, AT)))


@pytest.mark.parametrize(("value", "level"), [(1, "healthy"), (0.66, "degraded"), (0.33, "critical"), (0, "unhealthy")])
def test_a_level_is_read_from_its_value(file: ConsoleFile, value: float, level: str) -> None:
    file.send(metrics("shop", gauge(wellness.STATUS, Measured(value, -3))))
    (service,) = read(file)
    assert (service.levels, service.heard) == ({level: 1}, AT - 3 * SECOND)


def test_processes_are_counted(file: ConsoleFile) -> None:
    for process, value in (("1", 1), ("2", 0.66), ("3", 1)):
        labels = {"process": process}
        file.send(metrics("shop", gauge(wellness.STATUS, Measured(value, labels=labels))))
        file.send(metrics("shop", gauge(wellness.READY, Measured(float(value == 1), labels=labels))))
    (service,) = read(file)
    assert service.levels == {"healthy": 2, "degraded": 1}
    assert service.ready == {"ready": 2, "not ready": 1}


def test_a_check_has_its_level_its_time_and_its_history(file: ConsoleFile) -> None:
    told = {
        "event.name": Event.HEALTH.value,
        "mita.health.check": "database",
        "mita.health.status": "unhealthy",
        "mita.health.previous_status": "healthy",
        "mita.health.trace_id": "ab" * 16,
        "error.type": "TimeoutError",
    }
    file.send(
        metrics("shop", gauge(wellness.STATUS, Measured(0))),
        metrics("shop", one_hot(wellness.CHECK, "status", "unhealthy", "healthy", check="database")),
        metrics("shop", gauge(wellness.RESPONSE_TIME, Measured(3000, labels={"service": "database"}))),
        metrics("shop", counter(wellness.FAILURES, Measured(4, start=-60, labels={"check": "database"}))),
        logs("shop", Line(attributes=told)),
    )
    (check,) = read(file)[0].checks
    assert (check.name, check.levels, check.response_ms, check.failures) == ("database", {"unhealthy": 1}, 3000, 4)
    assert check.changes == [Change(AT, "healthy", "unhealthy", "TimeoutError", "ab" * 16)]


def test_the_levels_are_the_health_room_s() -> None:
    assert {level.value: value for level, value in SHARE.items()} == wellness.LEVELS
