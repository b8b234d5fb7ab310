"""Names that come without end do not fill the store."""

from collections.abc import Callable
from typing import Any

import pytest

from mita_otel.console.store import names
from mita_otel.console.store.schema import OTHER_OPERATION
from mita_otel.console.store.writing import Signal, Store
from tests.fixtures.otlp_requests import span
from tests.unit.console.store.conftest import Write

Rows = Callable[..., list[Any]]


@pytest.fixture
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "OPERATIONS_LIMIT", 3)
    monkeypatch.setattr(names, "_OTHERS_LIMIT", 2)
    monkeypatch.setattr(names, "_MEMO_LIMIT", 4)


@pytest.mark.usefixtures("_few")
def test_operations_beyond_the_limit_share_a_name(write: Write, rows: Rows) -> None:
    write(Signal.TRACES, *(span(f"GET /{number}") for number in range(10)))
    assert rows("SELECT name FROM operations ORDER BY id") == ["GET /0", "GET /1", "GET /2", OTHER_OPERATION]
    assert rows("SELECT count(*) FROM spans") == [10]


@pytest.mark.usefixtures("_few")
def test_services_beyond_all_limits_share_one_operation(write: Write, rows: Rows) -> None:
    for number in range(10):
        write(Signal.TRACES, span(), service=f"service{number}")
    assert rows("SELECT service FROM operations WHERE name = ?", OTHER_OPERATION) == ["service3", "service4", "(other)"]


@pytest.mark.usefixtures("_few")
def test_known_operations_are_found_after_they_were_forgotten(write: Write, rows: Rows, store: Store) -> None:
    write(Signal.TRACES, *(span(f"GET /{number}") for number in range(3)))
    store.forget_names()
    write(Signal.TRACES, *(span(f"GET /{number}") for number in range(3)))
    assert rows("SELECT count(*) FROM spans GROUP BY operation") == [2, 2, 2]


def test_a_name_of_a_megabyte_is_cut(write: Write, rows: Rows) -> None:
    write(Signal.TRACES, span("x" * 1_000_000))
    assert rows("SELECT length(name) FROM operations") == [1024]
