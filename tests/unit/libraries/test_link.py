"""What an attempt shows about whether a database is there."""

import ssl

import pytest
from sqlalchemy.exc import DBAPIError

from mita_otel.libraries.link import is_there
from mita_otel.retries import OutOfTimeError


class ServerError(Exception):
    """A driver's exception."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__()
        self.sqlstate = sqlstate


class OperationalError(Exception):
    """What drivers without SQLSTATEs raise when they cannot connect."""


@pytest.mark.parametrize("code", ["23505", "42P01", "28P01", "53300", "40P01", "57014"])
def test_a_database_that_refuses_something_is_there(code: str) -> None:
    assert is_there(ServerError(code)) is True


@pytest.mark.parametrize("code", ["57P01", "57P02", "57P03", "08006", "08001", "08P01", "3D000"])
def test_a_database_that_is_lost_or_not_ready_is_not(code: str) -> None:
    assert is_there(ServerError(code)) is False


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError(), TimeoutError(), OSError(113, "no route"), ssl.SSLError(), OperationalError()]
)
def test_a_connection_that_fails_shows_that_it_is_not(error: Exception) -> None:
    assert is_there(error) is False


@pytest.mark.parametrize("error", [RuntimeError("no loop"), ServerError(None), KeyError("password")])
def test_a_fault_on_our_side_shows_nothing(error: Exception) -> None:
    assert is_there(error) is None


def test_an_answer_shows_that_it_is() -> None:
    assert is_there(None) is True


def test_the_drivers_error_decides_and_not_what_wraps_it() -> None:
    assert is_there(DBAPIError("SELECT 1", None, ServerError("57P01"))) is False


def test_a_caller_without_time_says_nothing_about_the_database() -> None:
    assert is_there(OutOfTimeError("database")) is None
