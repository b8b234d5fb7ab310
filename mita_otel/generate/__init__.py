"""Text made of models: reference pages and, later, rules and dashboards."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from mita_otel.generate import (
    alert_rules,
    alertmanager,
    dashboard_files,
    dashboards_page,
    metrics_page,
    openslo_schema,
    recording_rules,
    runbooks,
    settings_page,
    slo_rules,
)

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "collector/alertmanager/alertmanager.yml": alertmanager.shown_only,
    **alert_rules.PAGES,
    **dashboard_files.files(),
    "collector/prometheus/rules/derived.yml": recording_rules.rules,
    "collector/prometheus/rules/slo.yml": slo_rules.mita_rules,
    "collector/slo/openslo-v1-subset.schema.json": openslo_schema.text,
    "docs/reference/dashboards.md": dashboards_page.page,
    "docs/reference/metrics.md": metrics_page.page,
    "docs/reference/settings.md": settings_page.page,
}
"""Every generated file of the repository, and what makes its text."""

PARTLY: Final[Mapping[str, Callable[[str], str]]] = runbooks.PAGES
"""Files that people write, and what renews the parts of them that are generated."""


def write(root: Path) -> None:
    """Write every generated file below a folder."""
    for name, make in PAGES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8")
    for name, renew in PARTLY.items():
        path = root / name
        path.write_text(renew(path.read_text(encoding="utf-8")), encoding="utf-8")
