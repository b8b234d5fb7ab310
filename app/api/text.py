"""Texts that people write."""

from typing import Annotated

from pydantic import StringConstraints

Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
"""Any characters but control characters, which PostgreSQL refuses (NUL) and nobody means; lines and tabs are meant."""
