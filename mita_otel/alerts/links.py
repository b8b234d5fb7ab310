"""Where an alert leads: its runbook, a dashboard, traces, lines of the log.

Rules expand no variables of their own, so the addresses are written into them; a team renders them with its own.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from mita_otel.alerts.alert import Alert
from mita_otel.dashboards import path

_TEMPLATE: Final = re.compile(r"\{\{\s*(.+?)\s*\}\}")
_VARIABLES: Final = {
    "deployment_environment_name": "environment",
    "service_name": "service",
    "instance": "instance",
    "slo": "slo",
}
"""Variables of dashboards that a label chooses."""

_SERVICE: Final = "service_name"
_WARNINGS: Final = '{service_name="{{ $labels.service_name }}"} | severity_number >= 13'


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Addresses that links begin with: those of the stack on one machine, unless a team gives its own.

    Attributes:
        grafana: of Grafana.
        jaeger: of Jaeger's pages.
        docs: of the documentation, as `make docs` builds it.
        loki: the uid of Grafana's data source for Loki.
    """

    grafana: str = "http://127.0.0.1:3000"
    jaeger: str = "http://127.0.0.1:16686"
    docs: str = "http://127.0.0.1:8001"
    loki: str = "loki"


def links(alert: Alert, places: Places) -> Mapping[str, str]:
    """Return the annotations of an alert that are links, by name; without those that would show nothing."""
    found = {
        "runbook_url": f"{places.docs.rstrip('/')}/runbooks/{alert.runbook}.html",
        "dashboard_url": f"{places.grafana.rstrip('/')}{_dashboard(alert)}",
    }
    if alert.traces is not None and _SERVICE in alert.by:
        found["traces_url"] = f"{places.jaeger.rstrip('/')}/search?{_search(alert.traces)}"
    query = _WARNINGS if alert.logs == "" and _SERVICE in alert.by else alert.logs
    if query:
        found["logs_url"] = f"{places.grafana.rstrip('/')}/explore?{_explore(query, places.loki)}"
    return found


def _dashboard(alert: Alert) -> str:
    # A label that is missing chooses nothing: an empty value would choose what has none.
    chosen = "".join(
        f"{{{{ with $labels.{label} }}}}&var-{_VARIABLES[label]}={{{{ . | urlquery }}}}{{{{ end }}}}"
        for label in alert.by
        if label in _VARIABLES
    )
    return f"{path(alert.dashboard)}?orgId=1{chosen}"


def _search(traces: Mapping[str, str]) -> str:
    tags = {name: value for name, value in traces.items() if name not in {"minDuration", "operation"}}
    own = {name: value for name, value in traces.items() if name not in tags}
    asked = {"lookback": "1h", "limit": "20", **own, **({"tags": json.dumps(tags)} if tags else {})}
    return f"service={_label(_SERVICE)}&" + "&".join(f"{name}={_quoted(value)}" for name, value in asked.items())


def _explore(query: str, source: str) -> str:
    pane = {
        "datasource": source,
        "queries": [{"refId": "A", "datasource": {"type": "loki", "uid": source}, "expr": query}],
        "range": {"from": "now-1h", "to": "now"},
    }
    return f"schemaVersion=1&orgId=1&panes={_quoted(json.dumps({'logs': pane}, separators=(',', ':')))}"


def _label(name: str) -> str:
    return f"{{{{ $labels.{name} | urlquery }}}}"


def _quoted(text: str) -> str:
    """Return a text as a URL holds it; what a template in it will say is quoted when it says it."""
    parts, end = [], 0
    for found in _TEMPLATE.finditer(text):
        parts += [quote(text[end : found.start()], safe=""), f"{{{{ {found[1]} | urlquery }}}}"]
        end = found.end()
    return "".join([*parts, quote(text[end:], safe="")])
