"""Grafana's files of the dashboards."""

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path

from mita_otel.dashboards import UIDS
from mita_otel.dashboards.boards import boards
from mita_otel.dashboards.model import Board
from mita_otel.generate.slo_rules import FILE
from mita_otel.slo.specification import load


@cache
def made() -> Mapping[str, Board]:
    """Return the dashboards of the reference service by uid."""
    return {board.uid: board for board in boards(load(Path(__file__).parents[2] / FILE))}


def files() -> Mapping[str, Callable[[], str]]:
    """Return what makes the text of each file, by its name."""
    return {f"collector/grafana/dashboards/{uid}.json": partial(_text, uid) for uid in UIDS}


def _text(uid: str) -> str:
    # Grafana's types are there where files are generated, and not where a service runs.
    from mita_otel.dashboards import grafana  # noqa: PLC0415

    return grafana.text(made()[uid])
