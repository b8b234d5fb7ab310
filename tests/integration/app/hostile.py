"""Requests of somebody who wants every one to look like no other: nothing of them may become a series."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ROUTES = (
    "/api/auth/login",
    "/api/auth/register",
    "/api/auth/refresh",
    "/api/auth/google/callback",
    "/api/users/me",
    "/api/transactions",
    "/api/budgets",
    "/api/goals",
    "/api/insights",
    "/api/receipts",
    "/api/purchases",
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "MKCOL", "SEARCH", "PURGE")


@dataclass(frozen=True)
class Hostile:
    """One request, in the words of httpx."""

    method: str
    path: str
    headers: dict[str, str]
    params: dict[str, str] = field(default_factory=dict)
    json: Any = None


def hostile_requests(number: int, user: dict[str, str], seed: int = 0) -> Iterator[Hostile]:
    """Yield so many requests; each fourth is of a user who has logged in."""
    chance = random.Random(seed)
    for index in range(number):
        yield _request(chance, user if index % 4 == 0 else {})


def _request(chance: random.Random, user: dict[str, str]) -> Hostile:
    def word() -> str:
        return f"{chance.getrandbits(64):016x}"

    path = chance.choice(
        [
            f"/{word()}/{word()}",
            chance.choice(ROUTES),
            f"/api/transactions/{word()}",
            f"/api/goals/{word()}",
            f"{chance.choice(ROUTES)}/{word()}",
            f"{chance.choice(ROUTES)}/",
        ]
    )
    headers = {
        "host": f"{word()}.example.com",
        "user-agent": word(),
        "x-forwarded-for": f"10.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randrange(256)}",
        "x-forwarded-host": word(),
        "x-correlation-id": word(),
        "traceparent": f"00-{word()}{word()}-{word()}-01",
        "tracestate": f"{word()}={word()}",
        "baggage": f"{word()}={word()}",
        "authorization": f"Bearer {word()}",
        f"x-{word()}": word(),
    }
    body = {
        "email": f"{word()}@example.com",
        "password": word(),
        "currency": chance.choice(["USD", "EUR", word()]),
        "category": chance.choice(["food", word()]),
        "amount": chance.choice(["1", "-1", "NaN", word()]),
        "name": word(),
        word(): word(),
    }
    method = chance.choice(METHODS)
    return Hostile(
        method, path, headers | user, {word(): word(), "month": word()}, None if method in {"GET", "DELETE"} else body
    )
