"""The route of the circuit breakers."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Override, Registry, State
from mita_otel.breakers.adapters.watched import Watched
from mita_otel.errors import ExternalServiceError
from mita_otel.settings import Settings
from mita_otel.web import problems
from mita_otel.web.breakers import PATH, WORDS, answer
from tests.unit.web.test_administration import Exchange, scope_of


@pytest.fixture
def breaker() -> Iterator[CircuitBreaker]:
    made = CircuitBreaker("bank")
    yield made
    made.retire()


def _body(exchange: Exchange) -> Any:
    return json.loads(exchange.messages[1]["body"])


def test_all_breakers_are_shown_with_their_histories(breaker: CircuitBreaker) -> None:
    breaker.call(lambda: None)
    exchange = Exchange()
    assert exchange.run(scope_of(PATH)) == 200
    shown = _body(exchange)["breakers"]["bank"]
    assert (shown["state"], shown["successes"], shown["success_rate"], shown["history"]) == ("closed", 1, 1.0, [])
    assert exchange.reached == 0


@pytest.mark.parametrize(
    ("word", "state"),
    [("open", "forced_open"), ("disable", "disabled"), ("observe", "metrics_only"), ("close", "closed")],
)
def test_a_word_overrules_a_breaker(breaker: CircuitBreaker, word: str, state: str) -> None:
    exchange = Exchange()
    assert exchange.run(scope_of(f"/shop{PATH}/bank/{word}", root_path="/shop", method="POST")) == 200
    assert (_body(exchange)["state"], breaker.state) == (state, state)
    history = [(change["to"], change["reason"]) for change in _body(exchange)["history"]]
    assert history == ([] if word == "close" else [(state, "operator")])


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        (PATH, "POST", 405),
        (f"{PATH}/bank", "DELETE", 405),
        (f"{PATH}/bank/open", "GET", 405),
        (f"{PATH}/bank/explode", "POST", 404),
        (f"{PATH}/nobody/open", "POST", 404),
        (f"{PATH}/bank", "GET", 200),
    ],
)
def test_anything_else_changes_nothing(breaker: CircuitBreaker, path: str, method: str, status: int) -> None:
    exchange = Exchange()
    assert exchange.run(scope_of(path, method=method)) == status
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_the_token_nothing_is_shown_or_done(breaker: CircuitBreaker, method: str) -> None:
    exchange = Exchange()
    assert exchange.run(scope_of(f"{PATH}/bank/open", token="another-token-of-16", method=method)) == 401
    assert breaker.state is State.CLOSED


def test_a_breaker_of_another_library_is_shown_but_not_overruled() -> None:
    registry = Registry()
    Watched("theirs", registry)
    assert answer("GET", "/theirs", registry).status == 200
    assert answer("POST", "/theirs/open", registry).status == 409


async def test_a_refusal_that_nobody_handles_is_answered_with_the_time_to_come_again() -> None:
    app = FastAPI()
    problems.install(app, Settings.read({}))

    @app.get("/rates")
    async def rates() -> None:
        raise CircuitOpenError("bank", 12.3)

    @app.get("/orders")
    async def orders() -> None:
        try:
            await rates()
        except CircuitOpenError as error:
            raise ExternalServiceError("orders are not taken now") from error

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop") as client:
        for path in ("/rates", "/orders"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "13")
            assert "bank" not in answer.text


def test_the_words_end_in_every_state_that_an_operator_may_want() -> None:
    assert set(WORDS) == {"open", "close", "disable", "observe"}
    assert set(WORDS.values()) == {None, *Override}
