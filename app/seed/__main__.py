"""Fills the database that DATABASE_URL names."""

import argparse
import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict

from app import seed
from app.clock import utc_now
from app.security import NO_PASSWORD, hash_password
from app.settings import Settings
from app.storage import Database

MOST_USERS = 10_000
MOST_MONTHS = 60
"""A minute or two of work each: more is a load test, not a demonstration."""


def _within(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be {least} to {most}")
        return value

    return number


def main() -> None:
    """Migrate, fill, and say what is there."""
    parser = argparse.ArgumentParser(prog="python -m app.seed", description=seed.__doc__)
    parser.add_argument("--users", type=_within(1, MOST_USERS), default=50, help="households (default 50)")
    parser.add_argument("--months", type=_within(1, MOST_MONTHS), default=6, help="months of history (default 6)")
    parser.add_argument("--seed", type=int, default=1, help="the same number gives the same data (default 1)")
    parser.add_argument("--password", help="of every user; without it nobody can log in as one of them")
    given = parser.parse_args()
    began = time.perf_counter()
    filled = asyncio.run(_fill(given.users, given.months, given.seed, given.password))
    counts = ", ".join(f"{count} {name}" for name, count in asdict(filled).items())
    print(f"{counts} in {time.perf_counter() - began:.1f} s")  # noqa: T201 - a program's answer


async def _fill(users: int, months: int, number: int, password: str | None) -> seed.Filled:
    database = Database(Settings().sqlalchemy_url)
    try:
        await database.migrate()
        password_hash = NO_PASSWORD if password is None else await hash_password(password)
        return await seed.fill(
            database, users=users, months=months, seed=number, now=utc_now(), password_hash=password_hash
        )
    finally:
        await database.close()


if __name__ == "__main__":
    main()
