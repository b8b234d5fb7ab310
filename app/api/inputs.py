"""What several routes are given."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

EARLIEST = date(1970, 1, 1)

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
"""Any characters but control characters, which PostgreSQL refuses (NUL) and nobody means; lines and tabs are meant."""

Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        to_lower=True,
        max_length=254,
        pattern=r"^[!-?A-~]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z0-9-]+$",
    ),
]

Password = Annotated[str, StringConstraints(min_length=8, max_length=128)]

Month = Annotated[
    str, StringConstraints(pattern=r"^(19[7-9]|20[0-9])[0-9]-(0[1-9]|1[0-2])$"), Field(examples=["2026-11"])
]


def is_plausible(day: date) -> bool:
    """Say whether money can have been spent on a day: what is planned counts, up to a year ahead."""
    return EARLIEST <= day <= datetime.now(UTC).date() + timedelta(days=366)


def _plausible(day: date) -> date:
    if not is_plausible(day):
        raise ValueError("must lie between 1970 and a year from now")
    return day


Day = Annotated[date, AfterValidator(_plausible)]
