from typing import Any

import asyncpg
import httpx
import pytest
import redis.exceptions
from sqlalchemy.exc import DBAPIError

from mita_otel.retries import (
    OutOfTimeError,
    UnknownOutcomeError,
    is_idempotent,
    is_transient,
    is_transient_in_database,
    sqlstate,
)
from mita_otel.retries.transient import TRANSIENT_SQLSTATES, TRANSIENT_STATUSES, asked_to_wait, causes, was_never_sent

REQUEST = httpx.Request("GET", "http://service/")


def status(code: int, **headers: str) -> httpx.HTTPStatusError:
    response = httpx.Response(code, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return httpx.HTTPStatusError("failed", request=REQUEST, response=response)


def postgres(code: str) -> DBAPIError:
    return DBAPIError("SELECT 1", {}, asyncpg.PostgresError.new({"C": code, "M": "failed"}))


@pytest.mark.parametrize(
    "error",
    [
        *(status(code) for code in TRANSIENT_STATUSES),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("garbage"),
        httpx.ReadError("reset"),
        redis.exceptions.ConnectionError("gone"),
        redis.exceptions.TimeoutError("slow"),
        ConnectionResetError("reset"),
        TimeoutError("slow"),
        *(postgres(code if len(code) == 5 else f"{code}006") for code in TRANSIENT_SQLSTATES),
    ],
    ids=repr,
)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    assert is_transient(error)
    wrapped = ValueError("of the application's own")
    wrapped.__cause__ = error
    assert is_transient(wrapped)


@pytest.mark.parametrize(
    "error",
    [
        *(status(code) for code in (301, 400, 401, 403, 404, 409, 422, 501, 505)),
        httpx.UnsupportedProtocol("ftp"),
        httpx.LocalProtocolError("our fault"),
        httpx.TooManyRedirects("round and round"),
        httpx.DecodingError("garbage"),
        redis.exceptions.AuthenticationError("who are you"),
        redis.exceptions.ResponseError("wrong type"),
        postgres("23505"),
        postgres("57014"),
        OutOfTimeError("external"),
        UnknownOutcomeError(),
        ValueError("no number"),
        KeyError("key"),
        FileNotFoundError("file"),
    ],
    ids=repr,
)
def test_what_lasts_is_not(error: Exception) -> None:
    assert not is_transient(error)


@pytest.mark.parametrize("code", ["40001", "40P01", "55P03", "08000", "08006", "57P01", "57P02", "57P03", "53300"])
def test_a_transaction_is_tried_again_by_its_sqlstate(code: str) -> None:
    assert is_transient_in_database(postgres(code))
    assert sqlstate(postgres(code)) == code


@pytest.mark.parametrize("error", [postgres("23505"), postgres("57014"), ConnectionError(), status(503)], ids=repr)
def test_and_by_nothing_else(error: Exception) -> None:
    assert not is_transient_in_database(error)


def test_a_commit_whose_outcome_is_unknown_is_not_tried_again_though_its_cause_may_pass() -> None:
    unknown = UnknownOutcomeError()
    unknown.__cause__ = postgres("57P01")
    assert not is_transient_in_database(unknown)
    assert not is_transient(unknown)


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {}, True),
        ("get", None, True),
        ("PUT", {}, True),
        ("DELETE", {}, True),
        ("POST", {}, False),
        ("PATCH", {}, False),
        ("POST", {"Idempotency-Key": "order-42"}, True),
        ("POST", {"idempotency-key": " "}, False),
        ("POST", {"other": "x"}, False),
        ("FETCH", {}, False),
    ],
)
def test_a_request_may_be_repeated_by_its_method_or_its_key(method: str, headers: Any, expected: bool) -> None:  # noqa: FBT001 - a table
    assert is_idempotent(method, headers) is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx.ConnectError("refused"), True),
        (httpx.ConnectTimeout("slow"), True),
        (httpx.PoolTimeout("busy"), True),
        (ConnectionRefusedError(), True),
        (httpx.ReadError("reset"), False),
        (httpx.ReadTimeout("slow"), False),
        (ConnectionResetError(), False),
    ],
    ids=repr,
)
def test_what_never_left_has_done_nothing(error: Exception, expected: bool) -> None:  # noqa: FBT001 - as above
    assert was_never_sent(error) is expected


class Refusal(Exception):  # noqa: N818 - another library's
    def __init__(self, retry_after: Any) -> None:
        super().__init__()
        self.retry_after = retry_after


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (status(429, retry_after="7"), 7.0),
        (status(503, retry_after="soon"), None),
        (status(503), None),
        (Refusal(2.5), 2.5),
        (Refusal(-1), None),
        (Refusal(True), None),
        (Refusal(float("nan")), None),
        (Refusal("2"), None),
        (ValueError(), None),
    ],
    ids=repr,
)
def test_a_failure_may_ask_to_wait(error: Exception, seconds: float | None) -> None:
    assert asked_to_wait(error) == seconds


def test_causes_that_go_round_in_circles_have_an_end() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert list(causes(first)) == [first, second]
