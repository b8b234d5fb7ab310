"""Records that tell of a change are listed, errors are counted, and other records leave no trace of either."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from mita_otel.breakers import telemetry as breakers
from mita_otel.console.store import telling
from mita_otel.console.store.minutes import MINUTE
from mita_otel.console.store.telling import Event
from mita_otel.console.store.writing import Signal, Store
from mita_otel.errors import reporting
from mita_otel.errors.taxonomy import Category
from tests.fixtures.otlp_requests import pairs, record
from tests.unit.console.store.conftest import Write

Rows = Callable[..., list[Any]]
NOW = time.time_ns() // 1000 // MINUTE * MINUTE + 30_000_000
"""In the middle of a minute."""


def line(body: str = "it changed", *, at: int = NOW, **attributes: str) -> LogRecord:
    """Return a log record; double underscores in the names of attributes are dots."""
    made = record(body, at=at)
    made.attributes.extend(pairs({name.replace("__", "."): value for name, value in attributes.items()}))
    return made


def error(fingerprint: str, at: int = NOW, **more: str) -> LogRecord:
    return line("AUTH_1001", at=at, mita__error__fingerprint=fingerprint, mita__error__category="system", **more)


@pytest.mark.parametrize("event", Event)
def test_a_change_is_listed(write: Write, rows: Rows, event: Event) -> None:
    write(Signal.LOGS, record("before"), line(event__name=event.value), service="shop")
    assert rows("SELECT event, service, body FROM told JOIN record_bodies ON record = id")[0][:2] == (event, "shop")
    assert rows("SELECT record FROM told") == [2]


def test_other_records_are_not(write: Write, rows: Rows) -> None:
    write(Signal.LOGS, record("mita.health.change"), line(event__name="mine"), line(name="mita.health.change"))
    assert rows("SELECT count(*) FROM told") == [0]
    assert rows("SELECT count(*) FROM error_minutes") == [0]


def test_errors_are_counted_by_minute_and_fingerprint(write: Write, rows: Rows) -> None:
    write(Signal.LOGS, error("a"), error("b"), error("a"), error("a", NOW + MINUTE))
    write(Signal.LOGS, error("a"))
    write(Signal.LOGS, error("a"), service="bank")
    minute = NOW // MINUTE
    assert rows("SELECT * FROM error_minutes ORDER BY service DESC, minute, fingerprint") == [
        (minute, "shop", "a", 3, 1, 5),
        (minute, "shop", "b", 1, 2, 2),
        (minute + 1, "shop", "a", 1, 4, 4),
        (minute, "bank", "a", 1, 6, 6),
    ]


def test_an_alert_is_no_further_error(write: Write, rows: Rows) -> None:
    write(Signal.LOGS, error("a", event__name=Event.ALERT.value))
    assert rows("SELECT event FROM told") == [Event.ALERT]
    assert rows("SELECT count(*) FROM error_minutes") == [0]


@pytest.mark.parametrize("at", [1, NOW - 2 * 86_400_000_000, NOW + 2 * 86_400_000_000])
def test_errors_of_absurd_times_are_counted_nowhere(write: Write, rows: Rows, at: int) -> None:
    write(Signal.LOGS, error("a", at))
    assert rows("SELECT count(*) FROM error_minutes") == [0]


def test_an_error_without_a_fingerprint_belongs_to_no_group(write: Write, rows: Rows) -> None:
    write(Signal.LOGS, error(""), line(mita__error__category="system"))
    assert rows("SELECT count(*) FROM error_minutes") == [0]


def test_what_a_transaction_told_is_forgotten_with_it(store: Store, write: Write, rows: Rows) -> None:
    write(Signal.LOGS, record())
    store.begin()
    store.rollback()
    write(Signal.LOGS, line(event__name=Event.HEALTH.value))
    assert rows("SELECT count(*) FROM told") == [1]


def test_the_names_are_those_that_are_sent() -> None:
    assert (telling.FINGERPRINT, telling.CATEGORY) == (reporting.FINGERPRINT, reporting.CATEGORY)
    assert sorted(telling.CATEGORIES) == sorted(Category)
    assert str(breakers.EVENT) == Event.BREAKER.value  # of the others the browser's tests let the real senders send
