"""A context in which delivering telemetry makes no telemetry."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, create_key, detach, get_value, set_value

_DELIVERING: Final = create_key("mita-otel-delivering")


@contextmanager
def quietly() -> Iterator[None]:
    """Switch instrumentations off and mark the thread's work as delivery."""
    token = attach(set_value(_DELIVERING, True, set_value(_SUPPRESS_INSTRUMENTATION_KEY, True)))
    try:
        yield
    finally:
        detach(token)


def delivering() -> bool:
    """Return True inside `quietly`."""
    return bool(get_value(_DELIVERING))
