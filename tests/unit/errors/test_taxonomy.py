"""What kind of error a status or an exception tells of."""

import asyncpg
import httpx
import pytest
import redis
import sqlalchemy.exc
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.errors import Category, Kind, Severity, of_exception, of_status
from mita_otel.errors.taxonomy import is_timeout
from mita_otel.metrics.catalogue.reliability import ERRORS


@pytest.mark.parametrize(
    ("status", "category", "severity"),
    [
        (400, "validation", "low"),
        (401, "authentication", "medium"),
        (403, "authorization", "medium"),
        (404, "business_logic", "low"),
        (409, "business_logic", "low"),
        (422, "validation", "low"),
        (418, "validation", "low"),
        (500, "system", "high"),
        (503, "external_api", "high"),
        (504, "performance", "high"),
    ],
)
def test_a_status_tells_category_and_severity(status: int, category: str, severity: str) -> None:
    assert of_status(status) == Kind(Category(category), Severity(severity))


@given(st.integers(100, 599))
def test_a_status_is_an_error_from_400_on(status: int) -> None:
    assert (of_status(status) is not None) == (status >= 400)


@pytest.mark.parametrize(
    ("error", "category", "severity"),
    [
        (sqlalchemy.exc.ProgrammingError("SELECT", {}, Exception()), "database", "high"),
        (asyncpg.UndefinedTableError("no table"), "database", "high"),
        (redis.ResponseError("wrong"), "database", "high"),
        (httpx.ConnectError("refused"), "external_api", "high"),
        (httpx.ReadTimeout("slow"), "performance", "high"),
        (TimeoutError(), "performance", "high"),
        (asyncpg.QueryCanceledError("statement timeout"), "performance", "high"),
        (MemoryError(), "system", "critical"),
        (OSError(28, "No space left on device"), "system", "critical"),
        (ConnectionResetError(), "system", "high"),
        (ValueError("odd"), "system", "high"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else str(value),
)
def test_an_exception_is_told_by_whose_it_is(error: BaseException, category: str, severity: str) -> None:
    assert of_exception(error) == Kind(Category(category), Severity(severity))


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        httpx.ConnectTimeout(""),
        redis.TimeoutError(),
        sqlalchemy.exc.TimeoutError(),
        asyncpg.LockNotAvailableError(""),
    ],
    ids=repr,
)
def test_a_wait_that_was_given_up_is_known_in_every_library(error: BaseException) -> None:
    assert is_timeout(error)


@pytest.mark.parametrize("error", [ValueError("Timeout"), redis.ConnectionError(), httpx.ConnectError("")], ids=repr)
def test_a_message_alone_makes_no_timeout(error: BaseException) -> None:
    assert not is_timeout(error)


def test_the_catalogue_has_every_category_and_severity() -> None:
    category, severity = ERRORS.attributes
    assert (set(category.values), set(severity.values)) == (set(Category), set(Severity))
