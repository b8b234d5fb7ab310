"""The names of variables that something installed reads."""

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Final

from mita_otel.doctor.settings import OTLP_VARIABLES
from mita_otel.settings import table

_OF_OURS: Final = frozenset(
    {
        "MITA_CACHE_DIR",
        "MITA_CONSOLE_TOKEN",
        "MITA_STACK_DIR",
        "MITA_STACK_ENGINE",
        "FASTAPI_OTEL_AUTO_CONFIGURE",
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION",
    }
)
"""Variables of the command line and of what is looked at besides the settings."""


def known_variables() -> frozenset[str]:
    """Return the settings' names and those that installed OpenTelemetry packages declare to the launcher."""
    settings = (str(row["name"]) for row in table())
    return frozenset({*settings, *_OF_OURS, *OTLP_VARIABLES, *_declared()})


def _declared() -> Iterator[str]:
    for entry_point in entry_points(group="opentelemetry_environment_variables"):
        if entry_point.name == "mita":
            continue  # loading it chooses a distribution
        try:
            declared = vars(entry_point.load())
        except Exception:  # noqa: BLE001, S112 - a package that cannot be imported is told of elsewhere
            continue
        yield from (name for name in declared if name.startswith("OTEL_"))
