"""Queries for log lines, of what the variables choose."""

from typing import Final

_CHOSEN: Final = 'service_name=~"$service", deployment_environment_name=~"$environment"'
# Loki refuses a selector that could match everything, as one does whose variable has no value.
_NAMED: Final = 'service_name=~".+"'

BAD: Final = "severity_number >= 13"
"""Warnings and worse: lines that someone should look at."""


def lines(*filters: str, stream: str = "") -> str:
    """Return the lines of the chosen services.

    Args:
        filters: of their fields.
        stream: one of `application`, `security`, `audit`, `performance`; all of them if empty.
    """
    selector = ", ".join((_CHOSEN, _NAMED, *([f'mita_log_stream="{stream}"'] if stream else [])))
    return " | ".join((f"{{{selector}}}", *filters))


def counted(*filters: str, by: str, stream: str = "") -> str:
    """Return how many lines there are in each step, by a field."""
    return f"sum by ({by}) (count_over_time({lines(*filters, stream=stream)} [$__auto]))"
