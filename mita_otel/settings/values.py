"""Types of values that several settings share."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def split(value: object) -> object:
    """Return the parts of a text that commas divide; anything else as it is."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def pairs(value: object) -> object:
    """Return a mapping of a text of `name=value` divided by commas; anything else as it is.

    Raises:
        ValueError: a part has no name or no `=`.
    """
    if not isinstance(value, str):
        return value
    parts = [part.partition("=") for part in value.split(",") if part.strip()]
    if any(not name.strip() or not sign for name, sign, _ in parts):
        raise ValueError("not of the form name=value")
    return {name.strip(): given.strip() for name, _, given in parts}


def lower(value: object) -> object:
    """Return a text in small letters without spaces around it; anything else as it is."""
    return value.strip().lower() if isinstance(value, str) else value


def upper(value: object) -> object:
    """Return a text in capital letters without spaces around it; anything else as it is."""
    return value.strip().upper() if isinstance(value, str) else value


def token(value: object) -> object:
    """Return a secret without what a file may have put around it.

    Raises:
        ValueError: shorter than 16 characters, or not printable ASCII.
    """
    if not isinstance(value, str):
        return value
    # Secrets that are kept in files tend to end with a line break.
    stripped = value.strip()
    if not re.fullmatch(r"[!-~]{16,}", stripped):
        raise ValueError("too short for a token, or not ASCII")
    return stripped


Names = Annotated[tuple[str, ...], BeforeValidator(split)]
Capacity = Annotated[int, Field(ge=1, le=1_000_000)]
Url = Annotated[str, Field(pattern=r"^https?://[^/\s]+[^\s]*$")]


class Part(BaseModel):
    """Some of the settings; a field's description says what is allowed, its title what it is for."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True, defer_build=True)
