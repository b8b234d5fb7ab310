"""Levels of `logging` as severities of OpenTelemetry."""

from functools import lru_cache
from typing import Final

from opentelemetry._logs import SeverityNumber

_TEXT: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}


@lru_cache(maxsize=256)
def severity(level: int) -> SeverityNumber:
    """Return the OpenTelemetry severity of a level of `logging`; 1 to 9 is TRACE, 10 to 19 DEBUG and so on.

    Source: https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber
    """
    if level <= 0:
        return SeverityNumber.UNSPECIFIED
    step = min(level // 10, 5)
    finer = min(level % 10, 3) if level < 60 else 3  # noqa: PLR2004 - FATAL begins at 50 and ends at 59
    return SeverityNumber(1 + 4 * step + finer)


def severity_text(name: str) -> str:
    """Return OpenTelemetry's name of a level's name."""
    return _TEXT.get(name, name)
