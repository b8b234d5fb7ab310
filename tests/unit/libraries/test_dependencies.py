"""Who failed, and who was waited for, is remembered in the request that suffers from it."""

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Policy, Registry
from mita_otel.errors import of_exception
from mita_otel.errors.reporting import Reporter
from mita_otel.libraries import httpx as instrumented_httpx
from mita_otel.libraries import sqlalchemy as instrumented_sqlalchemy
from mita_otel.traces import request
from mita_otel.traces.request import Served
from tests.unit.libraries.recording import Recording


@pytest.fixture
def served() -> Iterator[Served]:
    """A request whose waits are timed."""
    token = request.begin(timing=True)
    found = request.current()
    assert found is not None
    yield found
    request.restore(token)


def test_a_database_that_refuses_a_statement_has_failed(served: Served, recording: Recording) -> None:
    instrumented_sqlalchemy.instrument(recording.telemetry)
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert (served.failed, list(served.waits or ())) == (None, ["sqlite/:memory:"])
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT nothing"))
    engine.dispose()
    assert served.failed == "sqlite/:memory:"


def test_a_pool_without_connections_has_failed_and_was_waited_for(served: Served, recording: Recording) -> None:
    instrumented_sqlalchemy.instrument(recording.telemetry)
    engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.05)
    with engine.connect(), pytest.raises(PoolTimeoutError):
        engine.connect()
    engine.dispose()
    assert served.failed == "sqlite/:memory:"
    assert served.waits is not None
    assert served.waits["sqlite/:memory:"] >= 0.05


def test_a_database_that_is_not_there_has_failed(served: Served, recording: Recording) -> None:
    instrumented_sqlalchemy.instrument(recording.telemetry)
    engine = create_engine("sqlite:////nowhere/at/all.db")
    with pytest.raises(OperationalError):
        engine.connect()
    assert served.failed == "sqlite/all.db"


def test_a_host_that_does_not_answer_has_failed(served: Served, recording: Recording) -> None:
    instrumented_httpx.instrument(recording.telemetry)
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.ConnectError):
        client.get("http://127.0.0.1:9/")
    assert (served.failed, list(served.waits or ())) == ("127.0.0.1", ["127.0.0.1"])


def _ask() -> None:
    request.failed("rates.example.com")
    raise ConnectionError


def test_a_breaker_names_what_failed_within_it_and_what_it_refused(served: Served) -> None:
    breaker = CircuitBreaker("rates", Policy(failure_threshold=1), registry=Registry())
    with pytest.raises(ConnectionError), breaker:
        _ask()
    assert served.failed == "rates"
    request.failed("redis/0")
    with pytest.raises(CircuitOpenError), breaker:
        _ask()
    assert served.failed == "rates"


def test_an_error_that_is_reported_is_remembered_by_what_it_began_with(served: Served) -> None:
    error = RuntimeError()
    error.__cause__ = TimeoutError()
    Reporter().report(error, of_exception(error), "SYSTEM_9001")
    assert served.error == "TimeoutError"
