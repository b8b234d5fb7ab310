"""What is fixed about an alert: when it fires, how much it matters, and where whoever is told looks first."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

Severity: TypeAlias = Literal["critical", "warning", "info"]
"""Somebody is woken; somebody looks at it in working hours; it is only shown."""

Category: TypeAlias = Literal[
    "slo", "availability", "performance", "resources", "business", "security", "pipeline", "logs"
]
"""What an alert is about."""

_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of Prometheus or Loki.

    Texts are templates of Prometheus: `{{ $value }}`, `{{ $labels.service_name }}`.

    Attributes:
        name: begins with `Mita`.
        expression: in PromQL, or in LogQL; what it returns are the alerts, one a series.
        lasting: how long the expression must hold before it fires, such as `5m`; empty for at once.
        keep: how long it goes on after the expression ceased to hold, such as `5m`; empty for not at all.
        severity: whether somebody is woken.
        tier: 1 for what users cannot do without, 3 for what they can; None where the series bear the label.
        category: what it is about.
        by: labels that its series bear; they choose what links show.
        summary: one line.
        description: what was measured, against what it is held, and what that means.
        dashboard: the uid of the dashboard to open.
        traces: tags that the traces worth a look bear, by name; None where no trace says anything.
        logs: LogQL of the lines worth a look; empty for the service's warnings and worse, None where none are.
    """

    name: str
    expression: str
    severity: Severity
    tier: int | None
    category: Category
    by: tuple[str, ...]
    summary: str
    description: str
    dashboard: str
    lasting: str = ""
    keep: str = ""
    traces: Mapping[str, str] | None = field(default_factory=dict)
    logs: str | None = ""

    @property
    def runbook(self) -> str:
        """The name of its page below `docs/runbooks/`, without the ending: `MitaServiceDown` has `service-down`."""
        return _WORDS.sub("-", self.name.removeprefix("Mita")).lower()
