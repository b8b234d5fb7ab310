"""`mita-otel slo import` and `export`: files of other tools, and what of them cannot be carried over."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from mita_otel.settings import Settings, environment
from mita_otel.slo import SpecificationError
from mita_otel.slo.formats import Format, Written, exported, imported

NOTHING: Final = 1
UNUSABLE: Final = 2


def read(
    file: Annotated[
        Path, typer.Argument(help="Of sloth (prometheus/v1), pyrra (ServiceLevelObjective), or OpenSLO v1.")
    ],
) -> None:
    """Write another tool's file as OpenSLO on stdout, and on stderr, line by line, what cannot be carried over.

    The exit code is 0 if something could be, 1 if nothing could, 2 if the file cannot be read.
    """
    _tell(lambda text: imported(text, str(file)), file)


def write(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="OpenSLO v1. [default: MITA_SLO_FILE]")] = None,
    *,
    to: Annotated[Format, typer.Option("--to", help="openslo puts the file in order.")] = "openslo",
) -> None:
    """Write a file of ours as another tool's on stdout, and on stderr what that has no place for.

    The exit code is 0 if something could be carried over, 1 if nothing could, 2 if the file cannot be used.
    """
    path = file or Settings.read_leniently(environment())[0].slo_file
    if path is None:
        typer.echo("mita-otel slo: there is no file: name one, or set MITA_SLO_FILE", err=True)
        raise typer.Exit(UNUSABLE)
    _tell(lambda text: exported(text, str(path), to), path)


def _tell(make: Callable[[str], Written], path: Path) -> None:
    try:
        made = make(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        typer.echo(f"{path}:1: cannot be read: {error}", err=True)
        raise typer.Exit(UNUSABLE) from error
    except SpecificationError as error:
        typer.echo("\n".join(error.problems), err=True)
        raise typer.Exit(UNUSABLE) from error
    for note in made.notes:
        typer.echo(note, err=True)
    if not made.text:
        raise typer.Exit(NOTHING)
    typer.echo(made.text, nl=False)
