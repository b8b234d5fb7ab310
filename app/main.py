"""The application: `uvicorn app.main:app`."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
from fastapi import FastAPI

from app import api, errors
from app.api.dependencies import Services
from app.clients.cache import Cache, MemoryCache, RedisCache
from app.clients.insights import Insights
from app.clients.rates import Rates
from app.security import Tokens
from app.settings import Settings
from app.storage import Database

EXTERNAL_TIMEOUT = httpx.Timeout(5.0, connect=1.0)
"""Seconds: an answer that takes longer than 5 s is no use to someone who waits for a page."""


def _lifespan(settings: Settings) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        database = Database(settings.sqlalchemy_url)
        cache: Cache = RedisCache(settings.redis_url) if settings.redis_url else MemoryCache()
        async with httpx.AsyncClient(timeout=EXTERNAL_TIMEOUT) as client:
            app.state.services = Services(
                settings=settings,
                database=database,
                cache=cache,
                rates=Rates(_base(settings.rates_api_url), client, cache),
                insights=Insights(_base(settings.insights_api_url), client),
                tokens=Tokens(settings.signing_secret(), settings.jwt_minutes),
            )
            try:
                if settings.migrates:
                    await database.migrate()
                yield
            finally:
                await cache.close()
                await database.close()

    return lifespan


def _base(url: object) -> str | None:
    return None if url is None else str(url).rstrip("/")


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application for some settings, those of the environment by default."""
    app = FastAPI(title="MITA Finance", version="1.0.0", lifespan=_lifespan(settings or Settings()))
    errors.install(app)
    app.include_router(api.router)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


app = create_app()
