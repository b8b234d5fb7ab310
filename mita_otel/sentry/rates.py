"""How much Sentry keeps beside the errors, by environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares between 0 and 1.

    Attributes:
        traces: of the requests, which become transactions.
        profiles: of the transactions, which are profiled.
    """

    traces: float
    profiles: float


RATES: Final[Mapping[str, Rates]] = {
    "production": Rates(traces=0.1, profiles=0.1),
    "staging": Rates(traces=0.5, profiles=0.5),
    "development": Rates(traces=1.0, profiles=1.0),
}
"""Source: observability report, section 3.1."""

_SHORT: Final[Mapping[str, str]] = {
    "prod": "production",
    "live": "production",
    "stage": "staging",
    "dev": "development",
    "local": "development",
    "test": "development",
}


def rates_of(environment: str) -> Rates:
    """Return the shares of an environment, also of one that is called shortly; of any other those of production."""
    name = environment.strip().lower()
    return RATES.get(_SHORT.get(name, name), RATES["production"])
