"""Which of the four streams a record belongs to: application, security, audit or performance.

The rule, first match wins:

1. what the call says: `extra={"mita.log.stream": "audit"}`;
2. the logger's name: a word of `NAME_WORDS` in it (`app.auth` is security);
3. a library that speaks about its own plumbing (`LIBRARIES`): application, whatever its words;
4. the words of the message's template, of the first 256 characters: security, then audit, then performance;
5. application.

Words are whole: letters between anything that is none, so that `user_login`, `app.auth` and `data-access` have two and
"author" is not "auth"; a plural counts as its singular. Arguments are never looked at: what a caller sends must not
decide where the line about it is kept. A template and a logger are judged once and remembered.

Source of the words: observability report, section 1.1.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Final

ATTRIBUTE: Final = "mita.log.stream"

APPLICATION: Final = "application"
SECURITY: Final = "security"
AUDIT: Final = "audit"
PERFORMANCE: Final = "performance"
STREAMS: Final = (APPLICATION, SECURITY, AUDIT, PERFORMANCE)

WORDS: Final[Mapping[str, frozenset[str]]] = {
    SECURITY: frozenset(
        {
            *("auth", "login", "permission", "injection", "xss", "csrf", "attack"),
            # Other forms of the same words, which are not found by their beginning.
            *("authn", "authz", "authenticate", "authenticated", "authentication", "authorize", "authorized"),
            *("authorization", "unauthorized", "unauthenticated", "logon", "attacker"),
        }
    ),
    AUDIT: frozenset({"audit", "audited", "request", "response", "data access", "compliance"}),
    PERFORMANCE: frozenset(
        {"slow", "slower", "slowest", "timeout", "timed out", "database", "query", "queries", "memory", "cpu"}
    ),
}
"""Words, and pairs of words, by stream; in the order of their precedence."""

NAME_WORDS: Final[Mapping[str, frozenset[str]]] = {
    SECURITY: frozenset({"security", "auth", "authn", "authz", "authentication", "authorization", "login", "csrf"}),
    AUDIT: frozenset({"audit", "auditing", "compliance", "data access"}),
    PERFORMANCE: frozenset({"performance", "perf", "profiling"}),
}
"""The same for names of loggers: fewer, for a name is given to every record of a module."""

LIBRARIES: Final = frozenset(
    {
        *(
            "uvicorn",
            "gunicorn",
            "fastapi",
            "starlette",
            "asyncio",
            "concurrent",
            "multiprocessing",
            "httpx",
            "httpcore",
        ),
        *("urllib3", "requests", "aiohttp", "websockets", "sqlalchemy", "asyncpg", "aiosqlite", "psycopg", "alembic"),
        *("redis", "grpc", "opentelemetry", "sentry_sdk", "mita_otel", "botocore", "boto3", "celery", "kombu"),
    }
)
"""First parts of names: each call of an HTTP client is a "request", and none of them is an audit trail."""

READ: Final = 256
"""Characters of a template and of a name that are looked at."""
REMEMBERED: Final = 4_096
"""Pairs of logger and template remembered: more calls to `logging` than a large service has."""

_WORD: Final = re.compile(r"[^\W\d_]+")


@lru_cache(maxsize=REMEMBERED)
def stream_of(logger: str, template: str) -> str:
    """Return the stream of a logger's message.

    Args:
        logger: its name.
        template: the message before its arguments, cut to `READ` characters: a cache must not keep what is long.
    """
    named = _found(logger[:READ], NAME_WORDS)
    if named is not None:
        return named
    if logger.partition(".")[0] in LIBRARIES:
        return APPLICATION
    return _found(template, WORDS) or APPLICATION


def _found(text: str, table: Mapping[str, frozenset[str]]) -> str | None:
    words = [word.lower() for word in _WORD.findall(text)]
    singular = [word[:-1] for word in words if word.endswith("s")]
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    seen = {*words, *singular, *pairs}
    return next((stream for stream, wanted in table.items() if not wanted.isdisjoint(seen)), None)
