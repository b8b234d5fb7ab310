"""What the rooms of the stack talk about: components, their endpoints and states."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

Name = Literal["otelcol", "jaeger", "prometheus", "loki", "alertmanager"]
NAMES: Final[tuple[Name, ...]] = ("jaeger", "prometheus", "loki", "alertmanager", "otelcol")
"""Every backend, in the order in which they are started: what receives before what sends."""

State = Literal["ready", "starting", "paused", "stopped", "crashed"]
Report = Callable[[str], None]
"""Takes one line about what is going on, for a person to read."""


class StackError(Exception):
    """Something about the stack went wrong; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the stack answers; every field is a base URL without a trailing slash."""

    otlp_grpc: str
    otlp_http: str
    jaeger: str
    prometheus: str
    loki: str
    alertmanager: str
    otelcol_metrics: str


@dataclass(frozen=True, slots=True)
class Status:
    """How one component is."""

    name: str
    state: State
    url: str
    version: str
    pid: int | None = None
    log: str | None = None


def silent(_line: str) -> None:
    """Report to nobody."""


def versions_by_component(versions: Mapping[str, str]) -> dict[Name, str]:
    """Return the version of each component from the variables of versions.env."""
    return {name: versions[f"{name.upper()}_VERSION"] for name in NAMES}
