"""`mita-otel alerts ...`: who is told of alerts, and whether everything about them would be taken."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Annotated, Final

import typer

from mita_otel.alerts.channels import FOLDER, SECRETS, Channels, ReceiversError, read
from mita_otel.alerts.routes import ROUTES
from mita_otel.generate.alertmanager import AT, configuration
from mita_otel.stack import Cache, StackError, default_cache
from mita_otel.stack.build import programs
from mita_otel.stack.checking import alertmanager_faults, prometheus_faults
from mita_otel.stack.versions import root

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Alerts: whom they are told to, and whether that would work.",
)

REFUSED: Final = 1
UNUSABLE: Final = 2

FolderArgument = Annotated[Path, typer.Argument(help="Holds secrets/ and receivers.yaml.", file_okay=False)]


@app.command()
def receivers(
    folder: FolderArgument,
    *,
    at: Annotated[
        str | None, typer.Option("--at", help=f"Where Alertmanager will find the folder. [default: {AT}]")
    ] = None,
) -> None:
    """Write Alertmanager's configuration into a folder, with the channels whose secrets are there."""
    with _errors("receivers"):
        channels = read(folder)
        templates = folder / "templates"
        templates.mkdir(exist_ok=True)
        for template in (root() / "collector" / "alertmanager" / "templates").glob("*.tmpl"):
            shutil.copyfile(template, templates / template.name)
        (folder / "alertmanager.yml").write_text(configuration(channels, PurePath(at) if at else AT))
    for line in _told(channels):
        typer.echo(line)


@app.command()
def validate(
    folder: Annotated[
        Path | None, typer.Argument(help="Of Alertmanager. [default: the one of the stack]", file_okay=False)
    ] = None,
    *,
    prometheus: Annotated[Path | None, typer.Option("--prometheus", help="Its configuration, prometheus.yml.")] = None,
    cache: Annotated[
        Path | None,
        typer.Option("--cache", envvar="MITA_CACHE_DIR", help="Where the stack's programs are.", file_okay=False),
    ] = None,
) -> None:
    """Say what is wrong with routes, receivers, templates and rules, by file and line, before anything loads them."""
    with _errors("validate"):
        collector = root() / "collector"
        binaries = programs(Cache(cache or default_cache()))
        if not binaries["amtool"].exists():
            raise StackError("the tools that would say so are not built: run `mita-otel stack build`")
        faults = alertmanager_faults(binaries, folder or collector / "alertmanager")
        faults += prometheus_faults(binaries, prometheus or collector / "prometheus" / "prometheus.yml")
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(REFUSED)
    typer.echo("routes, receivers, templates and rules would be taken")


def _told(channels: Channels) -> Iterator[str]:
    for route in ROUTES:
        on = [channel for channel in route.channels if channel in channels.on]
        missing = next((name for channel, name in SECRETS.items() if channel in route.channels), "")
        yield f"{route.name:9} {', '.join(on) or f'nobody: put a secret into {FOLDER}/{missing}, for example'}"


@contextmanager
def _errors(command: str) -> Iterator[None]:
    try:
        yield
    except (ReceiversError, StackError, OSError) as error:
        typer.echo(f"mita-otel alerts {command}: {error}", err=True)
        raise typer.Exit(UNUSABLE) from error
