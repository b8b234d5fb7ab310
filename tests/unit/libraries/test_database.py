import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.libraries.database import Client, Endpoint, type_name
from mita_otel.libraries.link import driver_error, status_code
from mita_otel.libraries.quiet import quiet
from tests.unit.libraries.recording import Recording


class StubError(Exception):
    """A driver's exception."""

    def __init__(self, orig: BaseException | None = None, sqlstate: object = None) -> None:
        super().__init__()
        self.orig = orig
        self.sqlstate = sqlstate


@pytest.fixture
def client(recording: Recording) -> Client:
    """A client of a library of no one's."""
    return Client("none", recording.telemetry)


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        (Endpoint("postgresql", "bank", "db.example", 5432), "db.example:5432/bank"),
        (Endpoint("postgresql", "bank", "/run/postgresql"), "/run/postgresql/bank"),
        (Endpoint("postgresql", None, "db.example", 5432), "db.example:5432"),
        (Endpoint("sqlite", "bank.db"), "sqlite/bank.db"),
    ],
)
def test_a_pool_is_named_after_where_it_leads(endpoint: Endpoint, name: str) -> None:
    assert endpoint.pool_name == name


def test_what_is_not_known_of_an_endpoint_is_no_attribute() -> None:
    assert Endpoint("postgresql", port=5432).attributes == {"db.system.name": "postgresql"}


def test_a_statement_is_described_once() -> None:
    endpoint = Endpoint("postgresql")

    assert endpoint.statement("SELECT 1", batch=False) is endpoint.statement("SELECT 1", batch=False)


def test_long_statements_with_the_same_beginning_are_kept_once() -> None:
    endpoint = Endpoint("postgresql")
    values = "INSERT INTO t VALUES " + "($1)," * 2000

    assert endpoint.statement(values, batch=False) is endpoint.statement(values + "($2)", batch=False)


def test_a_statement_that_cannot_be_read_is_named_after_its_database() -> None:
    call = Endpoint("postgresql", "bank").statement("???", batch=False)

    assert call is not None
    assert call.span_name == "bank"
    assert call.metric_attributes == {"db.system.name": "postgresql", "db.namespace": "bank"}


@given(st.text(), st.booleans())
def test_any_statement_has_a_call_or_none(statement: str, batch: bool) -> None:  # noqa: FBT001 - drawn
    call = Endpoint("postgresql", "bank").statement(statement, batch=batch)

    assert call is None or call.span_name


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (TimeoutError(), "TimeoutError"),
        (asyncio.CancelledError(), "asyncio.exceptions.CancelledError"),
        (StubError(), f"{__name__}.StubError"),
    ],
)
def test_an_error_is_called_by_its_qualified_name(error: BaseException, name: str) -> None:
    assert type_name(error) == name


def test_the_drivers_error_is_found_within_those_around_it() -> None:
    driver, adapted = ValueError(), StubError()
    adapted.__cause__ = driver

    assert driver_error(StubError(orig=adapted)) is driver
    assert driver_error(StubError(orig=driver)) is driver
    assert driver_error(driver) is driver


@pytest.mark.parametrize(("sqlstate", "code"), [("23505", "23505"), (None, None), (42, None)])
def test_only_a_text_is_an_sqlstate(sqlstate: object, code: str | None) -> None:
    assert status_code(StubError(sqlstate=sqlstate)) == code


def test_a_batch_of_one_is_none(client: Client, recording: Recording) -> None:
    call = Endpoint("redis").call("PIPELINE", "PIPELINE", {})
    operation = client.begin(call, batch_size=1)
    assert operation is not None
    operation.end()

    [span] = recording.calls
    assert span.attributes == {"db.system.name": "redis", "db.operation.name": "PIPELINE"}


def test_details_are_not_asked_for_without_a_span_that_records(unsampled: Recording) -> None:
    client = Client("none", unsampled.telemetry)

    operation = client.begin(Endpoint("redis").call("GET", "GET", {}), details=lambda: pytest.fail("asked"))

    assert operation is not None
    operation.end()


def test_what_a_library_does_for_itself_is_silent(client: Client, recording: Recording) -> None:
    call = Endpoint("redis").call("GET", "GET", {})
    outer = client.begin(call, hush=True)
    assert outer is not None
    assert client.begin(call) is None
    outer.end()

    assert not quiet.get()
    assert recording.names == ["GET"]
