"""The files of the dashboards, as Grafana reads them."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from mita_otel.dashboards import UIDS
from tests.fixtures.service import ROOT

FOLDER: Final = ROOT / "collector" / "grafana" / "dashboards"


class Asked(NamedTuple):
    """One query, and the panel that asks it."""

    panel: str
    target: dict[str, Any]


@cache
def read(uid: str) -> dict[str, Any]:
    """Return the file of a dashboard."""
    made: dict[str, Any] = json.loads((FOLDER / f"{uid}.json").read_text())
    return made


def panels(uid: str) -> list[dict[str, Any]]:
    """Return the panels of a dashboard, without the headings of its rows."""
    return [panel for panel in read(uid)["panels"] if panel["type"] != "row"]


def queries(uid: str) -> Iterator[Asked]:
    """Return every query of every panel, and of every annotation."""
    for panel in panels(uid):
        for target in panel["targets"]:
            yield Asked(panel["title"], target)
    for annotation in read(uid)["annotations"]["list"]:
        yield Asked(
            f"annotation {annotation['name']}", {"datasource": annotation["datasource"], **annotation["target"]}
        )


def every_query() -> Iterator[tuple[str, Asked]]:
    """Return every query, with the uid of its dashboard."""
    for uid in UIDS:
        for asked in queries(uid):
            yield uid, asked
