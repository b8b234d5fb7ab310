"""Who is told of which alerts, how soon and how often, and what keeps silent because another alert says why."""

from dataclasses import dataclass
from typing import Final, Literal

Channel = Literal["pagerduty", "slack", "email", "webhook", "watchdog"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way that alerts go.

    Attributes:
        name: of the receiver at its end.
        matchers: which alerts go here, in Alertmanager's language; without any, all that no other route takes.
        channels: what the receiver consists of, as far as it is switched on.
        wait: seconds in which a group gathers before its first message.
        interval: seconds between two looks at a group; a message that nobody took is sent again then, at the latest.
        repeat: seconds after which a group is told again although nothing changed.
    """

    name: str
    matchers: tuple[str, ...]
    channels: tuple[Channel, ...]
    wait: float
    interval: float
    repeat: float


PAGE: Final = Route(
    name="page",
    matchers=('severity="critical"',),
    channels=("pagerduty", "slack", "email", "webhook"),
    wait=10,
    interval=30,
    repeat=3600,
)
TICKET: Final = Route(
    name="ticket", matchers=(), channels=("slack", "email", "webhook"), wait=30, interval=120, repeat=12 * 3600
)
INFO: Final = Route(
    name="info",
    matchers=('severity=~"info|medium|low"',),
    channels=("slack", "webhook"),
    wait=60,
    interval=300,
    repeat=24 * 3600,
)
WATCHDOG: Final = Route(
    name="watchdog",
    matchers=('alertname="MitaWatchdog"',),
    channels=("watchdog",),
    wait=0,
    interval=30,
    # Told once a minute: at the second look, a moment less than a minute after the message before.
    repeat=50,
)
ROUTES: Final = (WATCHDOG, PAGE, INFO, TICKET)
"""Every route, in the order in which they are asked; the last one takes what is left."""

GROUP_BY: Final = ("alertname", "service_name", "deployment_environment_name")
"""Alerts that have these in common are one message."""
