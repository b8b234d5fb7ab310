"""A stand-in for the external rates and insights APIs: `python -m app.standin --port 8090`.

Its latency and the shares of answers that wait or fail are set at the start, or while it runs by `PUT /behaviour`.
"""

import argparse
import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Annotated

import uvicorn
from fastapi import FastAPI, HTTPException, Request, Response
from pydantic import BaseModel, Field

IN_DOLLARS = {"USD": "1", "EUR": "1.08", "GBP": "1.27", "JPY": "0.0067", "THB": "0.028", "CHF": "1.13", "PLN": "0.25"}
"""What one unit is worth in US dollars; made up, and always the same."""


class Behaviour(BaseModel):
    """How the stand-in misbehaves."""

    latency: Annotated[float, Field(ge=0, le=60)] = 0.0
    latency_rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    garbage: str | None = Field(default=None, max_length=1_000_000)
    """Sent as the whole answer, if given."""


class Spending(BaseModel):
    """What the insights are about."""

    currency: str
    spending: dict[str, str]


def create_app(behaviour: Behaviour) -> FastAPI:
    """Return the stand-in."""
    app = FastAPI(title="Stand-in for external APIs")
    current = [behaviour]

    async def misbehave() -> None:
        if random.random() < current[0].latency_rate:  # noqa: S311 - chance, not secrecy
            await asyncio.sleep(current[0].latency)
        if random.random() < current[0].error_rate:  # noqa: S311 - chance, not secrecy
            raise HTTPException(502, "as told")

    @app.middleware("http")
    async def talk_nonsense(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        if current[0].garbage is None or request.url.path == "/behaviour":
            return await answer(request)
        return Response(current[0].garbage, media_type="application/json")

    @app.put("/behaviour")
    async def change(new: Behaviour) -> Behaviour:
        current[0] = new
        return new

    @app.get("/rates")
    async def rates(base: str) -> dict[str, object]:
        await misbehave()
        if base not in IN_DOLLARS:
            return {"base": base, "rates": {}}
        worth = float(IN_DOLLARS[base])
        return {"base": base, "rates": {code: f"{worth / float(value):.6f}" for code, value in IN_DOLLARS.items()}}

    @app.post("/v1/insights")
    async def insights(about: Spending) -> dict[str, list[dict[str, str]]]:
        await misbehave()
        highest = max(about.spending, key=lambda category: float(about.spending[category]), default=None)
        text = "Nothing was spent." if highest is None else f"Most was spent on {highest}."
        return {"insights": [{"type": "spending_pattern", "text": text}]}

    return app


def main() -> None:
    """Run the stand-in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that answers wait")
    parser.add_argument("--latency-rate", type=float, default=1.0, help="share of answers that wait, 0 to 1")
    parser.add_argument("--error-rate", type=float, default=0.0, help="share of answers that are errors, 0 to 1")
    given = parser.parse_args()
    behaviour = Behaviour(latency=given.latency, latency_rate=given.latency_rate, error_rate=given.error_rate)
    uvicorn.run(create_app(behaviour), host="127.0.0.1", port=given.port, log_level="warning")


if __name__ == "__main__":
    main()
