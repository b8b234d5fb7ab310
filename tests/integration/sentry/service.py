"""A small service whose errors are reported: unhandled, logged, handled, behind a middleware, in the background."""

import logging
import sys
from collections.abc import Awaitable, Callable

import httpx
from fastapi import BackgroundTasks, FastAPI, HTTPException, Request, Response
from opentelemetry import trace
from starlette.middleware.base import BaseHTTPMiddleware

from mita_otel.web import problems

app = FastAPI()
wrapped = FastAPI()
standard = FastAPI()
problems.install(standard)
logger = logging.getLogger("shop.payments")


@app.get("/health")
@wrapped.get("/health")
@standard.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/fails")
@wrapped.get("/fails")
@standard.get("/fails")
async def fails() -> None:
    logger.info("paying with %s", "4111 1111 1111 1111")
    raise ValueError("card 4111 1111 1111 1111 was refused")


@app.get("/logs")
async def logs() -> dict[str, str]:
    logger.error("order of %s was refused", "ann@example.org", extra={"cvv": "737"})
    return {"status": "logged"}


@app.get("/handles")
async def handles() -> dict[str, str]:
    try:
        await fails()
    except ValueError as error:
        trace.get_current_span().record_exception(error)
    return {"status": "handled"}


@app.get("/missing")
async def missing() -> None:
    raise HTTPException(404)


@app.get("/unavailable")
@standard.get("/unavailable")
async def unavailable() -> None:
    raise HTTPException(503, detail="card 4111 1111 1111 1111 cannot be charged now")


@app.get("/background")
async def background(tasks: BackgroundTasks) -> dict[str, str]:
    tasks.add_task(fails)
    return {"status": "later"}


@app.get("/calls")
async def calls(url: str) -> dict[str, str | None]:
    async with httpx.AsyncClient(trust_env=False) as client:
        sent = (await client.get(url)).json()
    raise_for = sent.get("sentry-trace") or sent.get("baggage")
    logger.error("called")
    return {"sentry": raise_for, "traceparent": sent.get("traceparent")}


@app.get("/imported")
async def imported() -> list[str]:
    return sorted({"sentry_sdk"} & set(sys.modules))


@app.get("/headers")
async def headers(request: Request) -> dict[str, str]:
    return dict(request.headers)


async def _pass(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    return await call_next(request)


wrapped.add_middleware(BaseHTTPMiddleware, dispatch=_pass)
