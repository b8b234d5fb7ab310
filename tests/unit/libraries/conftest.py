"""Fixtures for the tests of instrumented libraries."""

from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from mita_otel.libraries import asyncpg, httpx, redis, sqlalchemy
from mita_otel.libraries.slow.table import TABLE
from tests.unit.libraries.recording import Recording


@pytest.fixture
def recording() -> Iterator[Recording]:
    """Providers that sample everything."""
    recording = Recording()
    yield recording
    recording.shutdown()


@pytest.fixture
def unsampled() -> Iterator[Recording]:
    """Providers that sample nothing."""
    recording = Recording(sampler=ALWAYS_OFF)
    yield recording
    recording.shutdown()


@pytest.fixture(autouse=True)
def _instrumentation_undone() -> Iterator[None]:
    yield
    for library in (asyncpg, httpx, redis, sqlalchemy):
        library.instrument.undo()
    TABLE.clear()
