"""Tokens and passwords, also when the clock is set back or on."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import jwt
import pytest

from app.errors import ApiError
from app.security import ALGORITHM, AUDIENCE, LEEWAY, NO_PASSWORD, Caller, Tokens, digest, new_secret, verify_password

SECRET = "s" * 40
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CALLER = Caller(uuid4(), "USD")


def tokens(step: timedelta = timedelta(0)) -> Tokens:
    return Tokens(SECRET, 60, lambda: NOW + step)


def test_a_token_says_whose_it_is() -> None:
    assert tokens().read(tokens().issue(CALLER)) == CALLER


@pytest.mark.parametrize("step", [timedelta(days=-1), timedelta(seconds=-1), timedelta(minutes=60)])
def test_a_token_outlives_a_clock_that_is_set_back_and_one_that_is_a_little_fast(step: timedelta) -> None:
    assert tokens(step).read(tokens().issue(CALLER)) == CALLER


def test_a_token_is_over_after_its_time() -> None:
    token = tokens().issue(CALLER)
    with pytest.raises(ApiError):
        tokens(timedelta(minutes=60) + LEEWAY).read(token)


@pytest.mark.parametrize(
    "change",
    [
        {"sub": "jane"},
        {"sub": None},
        {"exp": "never"},
        {"exp": 10**30},
        {"exp": None},
        {"exp": {}},
        {"aud": "somebody"},
        {"currency": None},
    ],
)
def test_a_token_that_says_nonsense_is_refused(change: dict[str, object]) -> None:
    claims = {"sub": str(CALLER.user_id), "currency": "USD", "aud": AUDIENCE, "iat": NOW, "exp": NOW} | change
    token = jwt.encode({name: value for name, value in claims.items() if value is not None}, SECRET, ALGORITHM)
    with pytest.raises(ApiError) as refused:
        tokens().read(token)
    assert refused.value.status == 401


@pytest.mark.parametrize("token", ["", "a.b.c", "e30.e30.", "\ud800"])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(ApiError):
        tokens().read(token)


def test_a_token_of_another_secret_or_none_is_refused() -> None:
    claims = {"sub": str(CALLER.user_id), "currency": "USD", "aud": AUDIENCE, "iat": NOW, "exp": NOW + LEEWAY}
    for foreign in (jwt.encode(claims, "t" * 40, ALGORITHM), jwt.encode(claims, None, "none")):
        with pytest.raises(ApiError):
            tokens().read(foreign)


@pytest.mark.parametrize("password", ["", NO_PASSWORD, "nobody's password"])
async def test_nothing_fits_where_there_is_no_password(password: str) -> None:
    assert not await verify_password(password, NO_PASSWORD)
    assert not await verify_password(password, None)


def test_secrets_differ_and_their_digests_do_not_tell_them() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert digest(first) == digest(first) != digest(second)
    assert first not in digest(first)
