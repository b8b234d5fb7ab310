"""The stack's own rules and routes in a folder, with time that runs faster.

A minute is a second, and two where an alert goes on after its cause. Windows have at least ten, for a busy machine may
keep a process from telling anything for some, and everything is looked at each second.
"""

import re
import shutil
from pathlib import Path
from typing import Any, Final

import yaml

from mita_otel.alerts.signals import AWAKE
from mita_otel.stack import versions

FASTER: Final = 60
WINDOW: Final = 10
"""Seconds of a window at least."""

PATIENT: Final = {"MitaServiceDown": 5}
"""Seconds that a condition lasts before it is told, where a sixtieth is too short: what a busy machine held up arrives
by and by, and who comes last must not be taken for the one who is gone while the others are heard again."""

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_RANGE: Final = re.compile(r"\[(\d+)([smhd])(?::(\d+)([smhd]))?([^\]]*)\]")
_OFFSET: Final = re.compile(r"offset (\d+)([smhd])")
_AWAKE: Final = re.compile(rf"({AWAKE}\[\w+\]\) >= )\d+")

OF_THE_MACHINE: Final = ("alerts-resources.yml",)
"""Rules that tell of the machine, which is busy with other tests."""

NOT_DRILLED: Final = {
    "MitaEventLoopBlocked": "tells of a busy machine, too",
    "MitaErrorBudgetExhausted": "a drill has no thirty days of good service behind it",
}


def _scaled(number: str, unit: str, least: float) -> str:
    return f"{round(max(int(number) * _UNITS[unit] / FASTER, least) * 1000)}ms"


def hasten_expression(expression: str) -> str:
    """Shorten every window and offset."""

    def window(found: re.Match[str]) -> str:
        step = f":{_scaled(found[3], found[4], 1)}" if found[3] else ""
        return f"[{_scaled(found[1], found[2], WINDOW)}{step}{found[5]}]"

    shortened = _RANGE.sub(window, expression)
    shortened = _OFFSET.sub(lambda found: f"offset {_scaled(found[1], found[2], WINDOW)}", shortened)
    return _AWAKE.sub(r"\g<1>4", shortened)


def hasten_rules(document: dict[str, Any]) -> dict[str, Any]:
    """Shorten everything about the rules of a file."""
    for group in document["groups"]:
        found = re.fullmatch(r"(\d+)([smhd])", group.get("interval", "15s"))
        assert found
        group["interval"] = _scaled(found[1], found[2], 1)
        group["rules"] = [_hasten(rule) for rule in group["rules"] if rule.get("alert") not in NOT_DRILLED]
    return document


def _hasten(rule: dict[str, Any]) -> dict[str, Any]:
    rule["expr"] = hasten_expression(rule["expr"])
    for key in ("for", "keep_firing_for"):
        if found := re.fullmatch(r"(\d+)([smhd])", rule.get(key, "")):
            # As windows are longer than sixtieths, so must be what waits for their end.
            least = PATIENT.get(rule.get("alert", ""), 1)
            rule[key] = _scaled(str(int(found[1]) * (1 if key == "for" else 2)), found[2], least)
    return rule


def write_collector(folder: Path) -> Path:
    """Copy the stack's configuration into a folder, hastened; return the folder."""
    source = versions.root() / "collector"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("build", "grafana", *OF_THE_MACHINE))
    for file in (*(folder / "prometheus" / "rules").glob("*.yml"), *(folder / "loki" / "rules").rglob("*.yaml")):
        file.write_text(yaml.safe_dump(hasten_rules(yaml.safe_load(file.read_text())), sort_keys=False))
    prometheus = folder / "prometheus" / "prometheus.yml"
    prometheus.write_text(prometheus.read_text().replace("_interval: 15s", "_interval: 1s"))
    loki = folder / "loki" / "loki.yaml"
    loki.write_text(loki.read_text().replace("evaluation_interval: 15s", "evaluation_interval: 1s"))
    return folder
