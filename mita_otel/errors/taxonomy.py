"""Categories and severities of errors. Source: observability report, section 3.2."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Category(StrEnum):
    """What went wrong."""

    VALIDATION = "validation"
    AUTHENTICATION = "authentication"
    AUTHORIZATION = "authorization"
    DATABASE = "database"
    EXTERNAL_API = "external_api"
    BUSINESS_LOGIC = "business_logic"
    SYSTEM = "system"
    PERFORMANCE = "performance"


class Severity(StrEnum):
    """How much it matters: expected, recoverable, in need of attention, impacting the service."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Kind(NamedTuple):
    """A category and a severity."""

    category: Category
    severity: Severity


_CLIENT: Final = Kind(Category.VALIDATION, Severity.LOW)
_SERVER: Final = Kind(Category.SYSTEM, Severity.HIGH)
_BY_STATUS: Final[Mapping[int, Kind]] = {
    401: Kind(Category.AUTHENTICATION, Severity.MEDIUM),
    403: Kind(Category.AUTHORIZATION, Severity.MEDIUM),
    404: Kind(Category.BUSINESS_LOGIC, Severity.LOW),
    408: Kind(Category.PERFORMANCE, Severity.LOW),
    409: Kind(Category.BUSINESS_LOGIC, Severity.LOW),
    429: Kind(Category.BUSINESS_LOGIC, Severity.LOW),
    502: Kind(Category.EXTERNAL_API, Severity.HIGH),
    503: Kind(Category.EXTERNAL_API, Severity.HIGH),
    504: Kind(Category.PERFORMANCE, Severity.HIGH),
}
_BY_LIBRARY: Final[Mapping[str, Category]] = {
    **dict.fromkeys(("sqlalchemy", "asyncpg", "psycopg", "aiosqlite", "sqlite3", "redis"), Category.DATABASE),
    **dict.fromkeys(("httpx", "httpcore", "requests", "aiohttp"), Category.EXTERNAL_API),
}
_CLIENT_ERRORS: Final = range(400, 500)
_FIRST_SERVER_ERROR: Final = 500


def of_status(status: int) -> Kind | None:
    """Return the kind of error that a response's status tells of, 100 to 599; None below 400."""
    if status < _CLIENT_ERRORS.start:
        return None
    return _BY_STATUS.get(status, _CLIENT if status in _CLIENT_ERRORS else _SERVER)


def of_exception(error: BaseException) -> Kind:
    """Return the kind of an exception that no one handled: by whose it is, a wait given up before all else.

    What is out of memory, files or disk takes the whole service down soon: critical.
    """
    if isinstance(error, MemoryError | OSError) and not isinstance(error, ConnectionError | TimeoutError):
        return Kind(Category.SYSTEM, Severity.CRITICAL)
    if is_timeout(error):
        return Kind(Category.PERFORMANCE, Severity.HIGH)
    for owner in type(error).__mro__:
        category = _BY_LIBRARY.get(owner.__module__.partition(".")[0])
        if category is not None:
            return Kind(category, Severity.HIGH)
    return _SERVER


def is_timeout(error: BaseException) -> bool:
    """Say whether an exception tells that something took too long: by its class, or PostgreSQL's word for it.

    Source: PostgreSQL, "Error Codes": 57014 query_canceled, as statement_timeout does; 55P03 lock_not_available.
    """
    if isinstance(error, TimeoutError) or getattr(error, "sqlstate", None) in {"57014", "55P03"}:
        return True
    return any("Timeout" in owner.__name__ for owner in type(error).__mro__)
