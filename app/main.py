"""The application: `uvicorn app.main:app`."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import httpx
from fastapi import FastAPI
from pydantic import HttpUrl, SecretStr

from app import api, errors, health, quotas
from app.api.google import CALLBACK
from app.audited import RULES
from app.clients.cache import Cache, MemoryCache, RedisCache
from app.clients.google import Endpoints, Google
from app.clients.insights import Insights
from app.clients.messages import Messages
from app.clients.presence import MemoryCounting, Presence, RedisCounting
from app.clients.rates import Rates
from app.clients.store import Stores
from app.clients.upstream import Upstream, upstreams
from app.clock import Clock, utc_now
from app.domain.insights import Insight
from app.limits import LARGEST_UPLOAD, BodyLimit
from app.security import Tokens
from app.services import Services
from app.settings import Settings
from app.storage import Database
from app.work.running import running
from mita_otel.degradation import Feature
from mita_otel.logs import audit
from mita_otel.metrics import business
from mita_otel.ratelimit import RateLimits
from mita_otel.retries.httpx import DeadlineTransport
from mita_otel.web.audit import AuditRequests
from mita_otel.web.deadline import Deadlines
from mita_otel.web.degraded import Degraded
from mita_otel.web.health import HealthEndpoints, about, watching
from mita_otel.web.problems import response_to
from mita_otel.web.slo import SloEndpoint

EXTERNAL_TIMEOUT = httpx.Timeout(5.0, connect=1.0)
"""Seconds: an answer that takes longer than 5 s is no use to someone who waits for a page."""

TIMES = {"/api/insights": 15.0, "POST /api/transactions/bulk": 60.0, "POST /api/receipts": 60.0}
"""Seconds for requests that are not like the others, which have MITA_REQUEST_TIMEOUT."""


def _services(settings: Settings, now: Clock, apis: Mapping[str, Upstream]) -> Services:
    cache: Cache = RedisCache(settings.redis_url) if settings.redis_url else MemoryCache()
    insights_key = _secret(settings.insights_api_key)
    google = Google(
        Endpoints.of(_base(settings.google_oauth_url)),
        settings.google_client_id,
        _secret(settings.google_client_secret),
        f"{_base(settings.public_url)}{CALLBACK}",
        apis["google_oauth"],
    )
    return Services(
        settings=settings,
        database=Database(settings.sqlalchemy_url),
        cache=cache,
        rates=Rates(_base(settings.rates_api_url), apis["rates"], cache),
        insights=Insights(_base(settings.insights_api_url), insights_key, settings.insights_model, apis["openai"]),
        ai_insights=Feature("ai_insights", list[Insight], store=cache, seconds_needed=1.0),
        google=google,
        messages=Messages(_base(settings.messages_api_url), apis["messages"]),
        stores=Stores(_base(settings.store_api_url), apis["store"]),
        tokens=Tokens(settings.signing_secret(), settings.jwt_minutes, now),
        presence=Presence(RedisCounting(settings.redis_url) if settings.redis_url else MemoryCounting()),
        now=now,
    )


def _lifespan(settings: Settings, now: Clock) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as ending:
            transport = DeadlineTransport()
            client = await ending.enter_async_context(httpx.AsyncClient(transport=transport, timeout=EXTERNAL_TIMEOUT))
            apis = ending.enter_context(upstreams(client, settings.redis_url if settings.share_breakers else None))
            held = app.state.services = _services(settings, now, apis)
            ending.push_async_callback(held.database.close)
            ending.push_async_callback(held.cache.close)
            ending.push_async_callback(held.presence.close)
            app.state.limiter = await ending.enter_async_context(quotas.limiting(settings))
            if settings.migrates:
                await held.database.migrate()
            await ending.enter_async_context(audit.running(settings.sqlalchemy_url, folder=settings.audit_folder))
            business.observe_active(held.presence.users, held.presence.sessions)
            business.observe_last_data_update(held.presence.last_refresh)
            if settings.background_work:
                await ending.enter_async_context(running(held))
            await ending.enter_async_context(watching(app, health.checks(held, settings), about(app.version)))
            yield

    return lifespan


def _base(url: HttpUrl | None) -> str | None:
    return None if url is None else str(url).rstrip("/")


def _secret(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def create_app(settings: Settings | None = None, now: Clock = utc_now) -> FastAPI:
    """Return the application for some settings, those of the environment by default."""
    app = FastAPI(title="MITA Finance", version="1.0.0", lifespan=_lifespan(settings or Settings(), now))
    app.add_middleware(BodyLimit, paths={"/api/receipts": LARGEST_UPLOAD})
    app.add_middleware(Deadlines, routes=TIMES)
    app.add_middleware(AuditRequests, rules=RULES)
    app.add_middleware(RateLimits, limiter=quotas.limiter, user=quotas.user, answer=response_to)
    app.add_middleware(Degraded)
    app.add_middleware(HealthEndpoints)
    app.add_middleware(SloEndpoint)
    errors.install(app)
    app.include_router(api.router)

    @app.get("/health")
    async def answers() -> dict[str, str]:
        return {"status": "ok"}

    return app


app = create_app()
