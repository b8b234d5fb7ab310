"""The command line: `mita-otel ...`, one module a command or group of commands."""

import sys
from typing import Annotated, ClassVar, Final

import typer

from mita_otel.cli.lazy import LazyGroup

EX_SOFTWARE: Final = 70
"""Exit status after a fault of ours; 1 and 2 have meanings of their own. Source: sysexits.h."""

_debug: list[bool] = []


class Commands(LazyGroup):
    """Every command, with the first sentence of its help."""

    package = "mita_otel.cli"
    table: ClassVar[dict[str, str]] = {
        "demo": "Bring up the console, databases, the reference service and some traffic, and say where to look.",
        "console": "Receive OTLP, keep the newest of it, and show it on one page.",
        "stack": "The collector and its backends on this machine.",
        "doctor": "Look for what keeps telemetry from arriving, and say how to mend it.",
        "slo": "Objectives: check them, see how they stand, hold a deployment to them.",
        "alerts": "Alerts: which there are, whom they are told to, and whether that would work.",
        "dashboards": "Dashboards for Grafana: list them, write them into a folder.",
        "audit": "The audit log: verify it, export it, see its spool.",
        "settings": "Show every setting, its value and where that comes from; secrets are masked.",
        "version": "Show the versions of everything that must be installed together.",
    }


app = typer.Typer(
    name="mita-otel",
    cls=Commands,
    help="OpenTelemetry-first distribution for FastAPI, PostgreSQL and Redis.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - the signature of an option's callback
    if wanted:
        from mita_otel.installed import version  # noqa: PLC0415 - slow, and only this option needs it

        typer.echo(f"mita-otel {version('mita-otel')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hold the options of the program itself."""
    if debug:
        _debug.append(True)


def main() -> None:
    """Run the program; what goes wrong is a line on stderr and an exit status."""
    try:
        app()
    except Exception as error:
        if _debug:
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        sys.stderr.write(f"mita-otel: {reason} (mita-otel --debug ... shows where)\n")
        raise SystemExit(EX_SOFTWARE) from error
