"""The transports of httpx that send through breakers."""

import logging

import httpx
import pytest

from mita_otel.breakers import CircuitBreaker, CircuitOpenError, Policy, Registry, State
from mita_otel.breakers.httpx import AsyncBreakerTransport, BreakerTransport
from mita_otel.breakers.registry import BREAKERS_AT_MOST

POLICY = Policy(failure_threshold=2)


def _answer(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/refused":
        raise httpx.ConnectError("refused")
    return httpx.Response(int(request.url.path.strip("/")))


def test_failing_statuses_open_the_breaker_of_their_host_and_no_other(registry: Registry) -> None:
    transport = BreakerTransport(httpx.MockTransport(_answer), policy=POLICY, registry=registry)
    with httpx.Client(transport=transport) as client:
        for _ in range(5):
            assert client.get("http://one/404").status_code == 404
        assert [client.get("http://one/503").status_code for _ in range(2)] == [503, 503]
        with pytest.raises(CircuitOpenError, match=r"host\.one"):
            client.get("http://one/200")
        assert client.get("http://one:8080/200").status_code == 200
        assert client.get("http://two/200").status_code == 200
    assert {breaker.ledger.name for breaker in registry} == {"host.one", "host.one:8080", "host.two"}


async def test_what_the_transport_raises_opens_it_too(registry: Registry) -> None:
    breaker = CircuitBreaker("api", POLICY, registry=registry)
    transport = AsyncBreakerTransport(httpx.MockTransport(_answer), breaker)
    async with httpx.AsyncClient(transport=transport) as client:
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                await client.get("http://one/refused")
        with pytest.raises(CircuitOpenError):
            await client.get("http://one/200")
    assert breaker.state is State.OPEN


async def test_two_clients_share_the_breaker_of_a_host(registry: Registry) -> None:
    transports = [
        AsyncBreakerTransport(httpx.MockTransport(_answer), policy=POLICY, registry=registry) for _ in range(2)
    ]
    for transport in transports:
        async with httpx.AsyncClient(transport=transport) as client:
            await client.get("http://one/500")
    async with httpx.AsyncClient(transport=transports[0]) as client:
        with pytest.raises(CircuitOpenError):
            await client.get("http://one/200")


def test_hosts_without_number_are_reached_without_breakers(
    registry: Registry, caplog: pytest.LogCaptureFixture
) -> None:
    transport = BreakerTransport(httpx.MockTransport(_answer), policy=POLICY, registry=registry)
    with httpx.Client(transport=transport) as client, caplog.at_level(logging.WARNING):
        for number in range(BREAKERS_AT_MOST + 3):
            assert client.get(f"http://host{number}/200").status_code == 200
    assert len(registry) == BREAKERS_AT_MOST
    assert "sent without a breaker" in caplog.text
