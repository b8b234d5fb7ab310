import logging
from collections import Counter

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint

from mita_otel.libraries import Libraries, faults
from mita_otel.libraries.faults import Faults
from tests.unit.libraries.recording import Recording


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def fail() -> int:
    raise ZeroDivisionError


def test_a_guarded_function_answers_none_instead_of_raising(caplog: pytest.LogCaptureFixture) -> None:
    faults = Faults("library")

    assert faults.guard(fail)() is None
    assert faults.count == 1


def test_a_guarded_function_answers_what_it_would_without_the_guard() -> None:
    assert Faults("library").guard(lambda x: x + 1)(1) == 2


def test_a_guard_lets_the_end_of_the_process_through() -> None:
    def leave() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        Faults("library").guard(leave)()


def test_faults_are_logged_once_a_minute_with_their_number(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    failing = Faults("library", clock).guard(fail)

    with caplog.at_level(logging.WARNING):
        for clock.now in (0.0, 1.0, 59.0, 60.0):
            failing()

    assert [record.getMessage() for record in caplog.records] == [
        "telemetry of library failed, 1 times so far",
        "telemetry of library failed, 4 times so far",
    ]


def counted(reader: InMemoryMetricReader) -> dict[str, int | float]:
    """The points of `mita.telemetry.faults` by library."""
    data = reader.get_metrics_data()
    assert data is not None
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert metric.name == "mita.telemetry.faults"
    points = [point for point in metric.data.data_points if isinstance(point, NumberDataPoint)]
    return {str((point.attributes or {})["mita.library"]): point.value for point in points}


def test_faults_are_published_by_library_from_zero_on() -> None:
    reader = InMemoryMetricReader()
    in_the_log: Counter[str] = Counter()
    faults.observe(MeterProvider([reader], shutdown_on_exit=False), in_the_log)
    failing = Faults("published").guard(fail)

    before = counted(reader)
    failing()
    failing()
    in_the_log.update({"stdout": 2, "handler": 1})
    after = counted(reader)

    assert (before["published"], after["published"]) == (0, 2)
    assert after["logging"] - before["logging"] == 3


def test_a_library_that_could_not_be_instrumented_is_counted_and_remembered(recording: Recording) -> None:
    def refuse(_: str) -> None:
        raise AttributeError("no such method")

    libraries = Libraries(recording.telemetry, disabled=(), strict=False)
    libraries.when_imported("json", "refusing", refuse)  # type: ignore[arg-type] # it returns nothing because it fails

    assert libraries.failed == {"refusing": "AttributeError: no such method"}
    assert faults.swallowed["refusing"] == 1
