"""httpx: transports that send through breakers, one for each host or the one that is given.

    httpx.AsyncClient(transport=AsyncBreakerTransport(httpx.AsyncHTTPTransport(), breaker))

What counts is the response's status, and what the transport raises, as the policy judges them. The answer has been
reached when its headers are there: a body that drips or breaks off is seen by a breaker around the whole call.
"""

import logging
import re
from typing import Final

import httpx

from mita_otel.breakers.breaker import CircuitBreaker
from mita_otel.breakers.policy import Policy
from mita_otel.breakers.presets import EXTERNAL
from mita_otel.breakers.registry import REGISTRY, Registry

ORIGINS_AT_MOST: Final = 1_000
"""Hosts of one transport that are remembered; requests to further ones are sent without a breaker."""

_logger: Final = logging.getLogger("mita_otel.breakers.httpx")


class _Hosts:
    """The breakers of hosts, made when first asked for; all clients share them."""

    __slots__ = ("_breakers", "_policy", "_registry")

    def __init__(self, policy: Policy, registry: Registry) -> None:
        self._policy = policy
        self._registry = registry
        self._breakers: dict[str, CircuitBreaker | None] = {}

    def of(self, request: httpx.Request) -> CircuitBreaker | None:
        """Return the breaker of a request's host and port; None, logged once, where there is no room for one."""
        url = request.url
        origin = f"{url.host}:{url.port}" if url.port else url.host
        if origin not in self._breakers:
            if len(self._breakers) >= ORIGINS_AT_MOST:
                return None
            self._breakers[origin] = self._make("host." + re.sub("[^a-z0-9_.:-]", "_", origin.lower())[-57:])
        return self._breakers[origin]

    def _make(self, name: str) -> CircuitBreaker | None:
        try:
            return CircuitBreaker.named(name, self._policy, registry=self._registry)
        except ValueError as error:
            _logger.warning("requests are sent without a breaker: %s", error)
            return None


class BreakerTransport(httpx.BaseTransport):
    """Sends through a breaker what a transport sends.

    Args:
        transport: sends.
        breaker: for all requests; by default each host has its own, called `host.` and its address.
        policy: of the hosts' own breakers.
        registry: theirs; the process's by default. Beyond the 64 breakers that it holds requests are sent unguarded.
    """

    def __init__(
        self,
        transport: httpx.BaseTransport,
        breaker: CircuitBreaker | None = None,
        *,
        policy: Policy = EXTERNAL.policy,
        registry: Registry = REGISTRY,
    ) -> None:
        self._transport = transport
        self._breaker = breaker
        self._hosts = _Hosts(policy, registry)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises `CircuitOpenError` if it is not to be sent."""
        breaker = self._breaker or self._hosts.of(request)
        if breaker is None:
            return self._transport.handle_request(request)
        return breaker.call(self._transport.handle_request, request)

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()


class AsyncBreakerTransport(httpx.AsyncBaseTransport):
    """Sends through a breaker what a transport for asyncio sends; as `BreakerTransport`."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        breaker: CircuitBreaker | None = None,
        *,
        policy: Policy = EXTERNAL.policy,
        registry: Registry = REGISTRY,
    ) -> None:
        self._transport = transport
        self._breaker = breaker
        self._hosts = _Hosts(policy, registry)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises `CircuitOpenError` if it is not to be sent."""
        breaker = self._breaker or self._hosts.of(request)
        if breaker is None:
            return await self._transport.handle_async_request(request)
        return await breaker.call_async(self._transport.handle_async_request, request)

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()
