"""A service in trouble, for a moment: everything that protects it has something to do, and a check finds it unhealthy.

Run by `opentelemetry-instrument`; what it tells is told when it has ended.
"""

import asyncio
from collections.abc import Sequence

import httpx
from fastapi import FastAPI

from mita_otel.breakers import CircuitBreaker
from mita_otel.breakers import Policy as BreakerPolicy
from mita_otel.degradation import Feature
from mita_otel.health import Check, Health, Reading
from mita_otel.ratelimit import Limiter, Policy, RateLimits
from mita_otel.retries import Policy as RetryPolicy
from mita_otel.retries import Retry
from mita_otel.web import problems
from mita_otel.web.deadline import Deadlines

bank = CircuitBreaker("bank", BreakerPolicy(failure_threshold=3))
rates = Retry("rates", RetryPolicy(attempts=3, base_seconds=0.001))
tips: Feature[str] = Feature("tips", str)
limits = Limiter([Policy(name="balance", quota=4, window=60, routes=["/balance"])], secret="s" * 32, redis=None)

app = FastAPI(version="1.2.3")
problems.install(app)
app.add_middleware(Deadlines, routes={"GET /slow": 0.1})
app.add_middleware(RateLimits, limiter=limits)


@app.get("/balance")
@bank
async def balance() -> None:
    raise ConnectionResetError("the bank hangs up")


@app.get("/tips")
async def tip() -> str:
    return (await tips.serve(_no_tip, key="jane", generic=lambda: "Save.")).value


@rates
async def _no_tip() -> str:
    raise ConnectionResetError("no tip today")


@app.get("/slow")
async def slow() -> None:
    await asyncio.sleep(60)


async def _look() -> Sequence[Reading]:
    raise ConnectionRefusedError("the database is down")


health = Health([Check("database", _look)])


async def main() -> None:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        health.running(),
        httpx.AsyncClient(transport=transport, base_url="http://troubled") as client,
    ):
        for path in (*["/balance"] * 6, "/tips", "/tips", "/slow"):
            await client.get(path)


asyncio.run(main())
