"""`mita-otel dashboards ...`: Grafana's dashboards as files."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mita_otel.dashboards import UIDS
from mita_otel.stack import versions

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Dashboards for Grafana: list them, write them into a folder.",
)


@app.command("list")
def show() -> None:
    """Show every dashboard with its uid and how many panels it has."""
    for uid in UIDS:
        board = json.loads(_file(uid).read_text(encoding="utf-8"))
        panels = sum(panel["type"] != "row" for panel in board["panels"])
        typer.echo(f"{uid:18} {panels:3} panels  {board['title']}")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Made if it is not there; files of these names are replaced.")],
) -> None:
    """Write them into a folder, from which Grafana can be provisioned, or one of them imported."""
    folder.mkdir(parents=True, exist_ok=True)
    for uid in UIDS:
        path = folder / f"{uid}.json"
        path.write_bytes(_file(uid).read_bytes())
        typer.echo(path)


def _file(uid: str) -> Path:
    return versions.root() / "collector" / "grafana" / "dashboards" / f"{uid}.json"
