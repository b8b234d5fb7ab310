"""Logs what the rules of Loki look for, by the means that services have, and what only looks like it."""

import asyncio
import logging
import sqlite3
import sys

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from mita_otel.errors import AuthenticationError, DatabaseError, RateLimitError, Reporter, StandardizedAPIException
from mita_otel.logs import audit
from mita_otel.logs.audit import schema

logger = logging.getLogger("logged")
reporter = Reporter()


def report(error: StandardizedAPIException, route: str) -> None:
    reporter.report(error, error.kind, error.code, route=route)


def errors() -> None:
    """Three lines that are errors, besides those of the database, and one that is not."""
    logger.error("one")
    logger.critical("two")
    logger.error("three", exc_info=RuntimeError("three"))
    logger.warning("ERROR: this is none")


def logins() -> None:
    """Two attempts that were refused, one that had to wait, and two refusals that are none."""
    report(AuthenticationError("who?"), "/api/auth/login")
    report(AuthenticationError("who?"), "/api/password/reset")
    report(RateLimitError("wait"), "/api/auth/login")
    report(AuthenticationError("who?"), "/api/orders")
    logger.warning("authentication failed, says somebody")


def database() -> None:
    """Two errors of the database, and a warning about one."""
    report(DatabaseError("away"), "/api/orders")
    error = OperationalError("SELECT 1", {}, Exception("gone"))
    logger.error("the query failed", exc_info=error)
    logger.warning("the query failed", exc_info=error)


async def audited(path: str) -> None:
    """An audit log in which one record is changed."""
    url = f"sqlite:///{path}"
    with create_engine(url).begin() as connection:
        schema.upgrade(connection)
    async with audit.running(url, folder=f"{path}-journals"):
        for number in range(3):
            audit.modification("limit.changed", before={"limit": number}, after={"limit": 9}, user="u1")
    audit.record(audit.EventType.SYSTEM_EVENT, "too.late")
    with sqlite3.connect(path) as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE audit_logs SET body = replace(body, '9', '8') WHERE seq = 2")


if __name__ == "__main__":
    errors()
    logins()
    database()
    asyncio.run(audited(sys.argv[1]))
