"""A receiving console without sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mita_otel.console.receive.transaction import Transactions
from mita_otel.console.store.reserve import Reserve
from mita_otel.console.store.retention import Limits, Retention
from mita_otel.console.store.writing import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "console.db")
    yield opened
    opened.close()


@pytest.fixture
def transactions(store: Store, tmp_path: Path) -> Transactions:
    return Transactions(store, Retention(store, Limits(10**12, 10**14), Reserve(tmp_path / "reserve")))
