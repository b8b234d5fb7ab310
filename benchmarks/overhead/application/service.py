"""The service under test: what a team writes that knows nothing of telemetry."""

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import redis.asyncio
from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
# It writes a line for every call, which the two lines of `mixed` do not count.
logging.getLogger("httpx").setLevel(logging.WARNING)
logger = logging.getLogger("service")

# More than the load has connections: nobody waits for the pool.
engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=32)
sessions = async_sessionmaker(engine)
cache: "redis.asyncio.Redis" = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)
prices = httpx.AsyncClient(base_url=os.environ["PRICES_URL"])


class Base(DeclarativeBase):
    """Of all tables."""


class Item(Base):
    """A row of the one table."""

    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Close what was opened."""
    yield
    await prices.aclose()
    await cache.aclose()
    await engine.dispose()


async def session() -> AsyncIterator[AsyncSession]:
    """Yield a session for one request."""
    async with sessions() as opened:
        yield opened


app = FastAPI(lifespan=lifespan)
Session = Annotated[AsyncSession, Depends(session)]


async def name_of(opened: AsyncSession, number: int) -> str | None:
    """Return the name of an item."""
    return await opened.scalar(select(Item.name).where(Item.id == number))


@app.get("/ping")
async def ping() -> dict[str, str]:
    """Do nothing."""
    return {"status": "ok"}


@app.get("/db")
async def db(opened: Session) -> dict[str, list[str | None]]:
    """Read three rows, one after the other."""
    return {"names": [await name_of(opened, number) for number in (7, 8, 9)]}


@app.get("/mixed")
async def mixed(opened: Session) -> dict[str, object]:
    """Read a row, a key of the cache and a price from a neighbour, and write two lines to the log."""
    name = await name_of(opened, 7)
    logger.info("item %d is %s", 7, name)
    stock = await cache.get("stock:7")
    answer = await prices.get("/prices/7")
    price = answer.json()["price"]
    logger.info("item %d costs %s", 7, price)
    return {"name": name, "stock": stock, "price": price}
