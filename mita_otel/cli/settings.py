"""`mita-otel settings`: every setting as a service started from this shell would have it."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from mita_otel.cli.terminal import terminal
from mita_otel.doctor.settings import DEFAULT, NOT_ALLOWED, Row, rows
from mita_otel.settings import environment


def run(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """Show every setting, its value and where that comes from; secrets are masked.

    The exit code is 1 if a value of the environment is not allowed.
    """
    found = rows(environment())
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in found], indent=2))
    else:
        _show(found)
    if any(row.source == NOT_ALLOWED for row in found):
        raise typer.Exit(1)


def _show(found: tuple[Row, ...]) -> None:
    screen = terminal()
    if screen is None:
        for row in found:
            typer.echo(f"{row.name}\t{row.value}\t{row.source}\t{row.allowed}")
        return
    from rich.table import Table  # noqa: PLC0415 - slow to import, and only a terminal needs it
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("setting", "value", "source", "allowed"):
        table.add_column(title, overflow="fold")
    for row in found:
        style = "dim" if row.source == DEFAULT else "red" if row.source == NOT_ALLOWED else ""
        table.add_row(*(Text(cell, style=style) for cell in (row.name, row.value, row.source, row.allowed)))
    screen.print(table)
