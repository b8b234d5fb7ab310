"""`mita-otel version`: the consistent set, as it is installed."""

import json
import platform
from typing import Annotated

import typer

from mita_otel.doctor.facts.packages import DISTRIBUTION, installed, pins


def run(*, as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """Show the versions of everything that must be installed together."""
    wanted = pins()
    packages = {name: {"installed": installed(name), "expected": version} for name, version in wanted.items()}
    consistent = all(row["installed"] == row["expected"] for row in packages.values())
    document = {
        "version": installed(DISTRIBUTION),
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "consistent": consistent,
        "packages": packages,
    }
    if as_json:
        typer.echo(json.dumps(document, indent=2))
        return
    typer.echo(f"{DISTRIBUTION} {document['version']}")
    typer.echo(f"{document['implementation']} {document['python']} on {document['platform']}")
    for name, row in packages.items():
        differs = "" if row["installed"] == row["expected"] else f"  {row['expected']} is expected"
        typer.echo(f"{name:40} {row['installed'] or 'missing'}{differs}")
