"""A store in a folder of the test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from mita_otel.console.store.outcome import Outcome
from mita_otel.console.store.writing import Batch, Signal, Store
from tests.fixtures.otlp_requests import resource


class Write(Protocol):
    """Writes items, messages or serialized ones, in a transaction of their own."""

    def __call__(self, signal: Signal, *items: Any, service: str | None = "shop") -> Outcome: ...


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "console.db"


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    opened = Store(database)
    yield opened
    opened.close()


@pytest.fixture
def write(store: Store) -> Write:
    def run(signal: Signal, *items: Any, service: str | None = "shop") -> Outcome:
        serialized = [item if isinstance(item, bytes) else item.SerializeToString() for item in items]
        store.begin()
        outcome = store.write(signal, [Batch(resource(service).SerializeToString(), b"", serialized)])
        store.commit()
        return outcome

    return run


@pytest.fixture
def rows(store: Store) -> Callable[..., list[Any]]:
    """The rows of a query; of a query with one column, the values."""

    def run(query: str, *values: Any) -> list[Any]:
        found = store.connection.execute(query, values).fetchall()
        return [row[0] if len(row) == 1 else row for row in found]

    return run
