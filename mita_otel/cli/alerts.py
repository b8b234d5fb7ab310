"""`mita-otel alerts ...`: what there is to be told, who is told of it, and whether all that would be taken."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Annotated, Final

import typer

from mita_otel.alerts import ALERTS, LOGS, Alert, Places
from mita_otel.alerts.channels import FOLDER, SECRETS, Channels, ReceiversError
from mita_otel.alerts.routes import ROUTES
from mita_otel.generate.alertmanager import AT
from mita_otel.stack import Cache, StackError, default_cache
from mita_otel.stack.build import programs
from mita_otel.stack.checking import alertmanager_faults, prometheus_faults
from mita_otel.stack.receivers import write
from mita_otel.stack.versions import root

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Alerts: which there are, whom they are told to, and whether that would work.",
)

REFUSED: Final = 1
UNUSABLE: Final = 2

FolderArgument = Annotated[Path, typer.Argument(help="Holds secrets/ and receivers.yaml.", file_okay=False)]


HERE: Final = Places()


@app.command(name="list")
def list_(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout, with expressions.")] = False,
) -> None:
    """Show every alert: how grave, of which tier, how long it must last, what it is about."""
    if as_json:
        typer.echo(json.dumps([_whole(alert) for alert in ALERTS], indent=2))
        return
    for alert in ALERTS:
        tier = "-" if alert.tier is None else str(alert.tier)
        typer.echo("\t".join((alert.name, alert.severity, tier, alert.lasting or "0s", alert.category, alert.summary)))


@app.command()
def rules(
    *,
    grafana: Annotated[str, typer.Option("--grafana-url", help="Of Grafana.")] = HERE.grafana,
    jaeger: Annotated[str, typer.Option("--jaeger-url", help="Of Jaeger's pages.")] = HERE.jaeger,
    docs: Annotated[str, typer.Option("--docs-url", help="Of the documentation, for runbooks.")] = HERE.docs,
    loki: Annotated[str, typer.Option("--loki-uid", help="Of Grafana's data source for Loki.")] = HERE.loki,
    logs: Annotated[bool, typer.Option("--logs", help="Those for Loki's ruler instead.")] = False,
) -> None:
    """Write the rules of all alerts on stdout, for Prometheus, with links to where your own backends are."""
    from mita_otel.generate import alert_rules  # noqa: PLC0415 - only this command needs it

    for option, url in (("--grafana-url", grafana), ("--jaeger-url", jaeger), ("--docs-url", docs)):
        if not url.startswith(("http://", "https://")):
            typer.echo(f"mita-otel alerts rules: {option} {url}: a URL begins with http:// or https://", err=True)
            raise typer.Exit(UNUSABLE)
    places = Places(grafana=grafana, jaeger=jaeger, docs=docs, loki=loki)
    typer.echo(alert_rules.log_rules(places) if logs else alert_rules.whole(places), nl=False)


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
        channels = write(folder, PurePath(at) if at else AT)
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


def _whole(alert: Alert) -> dict[str, object]:
    """Return what a program wants to know of an alert."""
    return {
        "name": alert.name,
        "severity": alert.severity,
        "tier": alert.tier,
        "category": alert.category,
        "for": alert.lasting or "0s",
        "keep_firing_for": alert.keep or "0s",
        "labels": list(alert.by),
        "summary": alert.summary,
        "description": alert.description,
        "runbook": alert.runbook,
        "dashboard": alert.dashboard,
        "language": "logql" if alert in LOGS else "promql",
        "expression": alert.expression,
    }


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
