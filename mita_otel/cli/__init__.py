"""The command line: `mita-otel ...`, one module a group of commands."""

from typing import Annotated

import typer

from mita_otel.cli import demo, stack

app = typer.Typer(
    name="mita-otel",
    help="OpenTelemetry-first distribution for FastAPI, PostgreSQL and Redis.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(stack.app, name="stack")
app.command("demo")(demo.run)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the signature of an option's callback
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 - slow, and only this option needs it

        typer.echo(f"mita-otel {version('mita-otel')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hold the options of the program itself."""


def main() -> None:
    """Run the program."""
    app()
