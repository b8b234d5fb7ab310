"""`mita-otel slo ...`: objectives as they are written down, and as they stand."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn
from urllib.request import urlopen

import typer

from mita_otel.cli import formats
from mita_otel.cli.terminal import terminal
from mita_otel.settings import Settings, environment
from mita_otel.slo import Specification, SpecificationError, load

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Objectives: check them, see how they stand, hold a deployment to them.",
)

REFUSED: Final = 1
UNUSABLE: Final = 2

_TIMEOUT: Final = 5.0
_LARGEST: Final = 5_000_000

File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="OpenSLO v1. [default: MITA_SLO_FILE]")]
Url = Annotated[str, typer.Option("--url", help="Of a service whose /slo/status is asked.")]
Prometheus = Annotated[
    str | None, typer.Option("--prometheus", help="Ask it instead, for all replicas. Needs MITA_SLO_FILE.")
]
Service = Annotated[str | None, typer.Option("--service", help="Its service.name there. [default: OTEL_SERVICE_NAME]")]

HERE: Final = "http://127.0.0.1:8000"


@app.command()
def validate(file: File = None) -> None:
    """Check a file; name every mistake with its line.

    The exit code is 0 if it can be used, 1 if not, 2 if there is none.
    """
    path = _path(file)
    specification = _loaded(path)
    typer.echo(f"{path}: {len(specification.slos)} objectives, {len(specification.indicators)} indicators")


@app.command()
def rules(file: File = None) -> None:
    """Write Prometheus's recording rules for a file on stdout."""
    from mita_otel.generate.slo_rules import rules as made  # noqa: PLC0415 - only this command needs it

    path = _path(file)
    typer.echo(made(_loaded(path), str(path)), nl=False)


@app.command()
def status(
    *,
    url: Url = HERE,
    prometheus: Prometheus = None,
    service: Service = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Show how the objectives stand."""
    report = _report(url, prometheus, service)
    if as_json:
        typer.echo(json.dumps(report, indent=2))
    else:
        _show(report)


@app.command()
def gate(
    *,
    url: Url = HERE,
    prometheus: Prometheus = None,
    service: Service = None,
    min_budget: Annotated[float, typer.Option("--min-budget", help="Share of the budget that must be left.")] = 0.25,
    max_burn_1h: Annotated[float, typer.Option("--max-burn-1h", help="Burn rate of the last hour at most.")] = 6.0,
    max_tier: Annotated[int, typer.Option("--max-tier", min=1, max=3, help="Objectives of tiers up to this one.")] = 2,
    require_data: Annotated[bool, typer.Option("--require-data", help="Refuse where nothing is known.")] = False,
) -> None:
    """Say whether a deployment may go on.

    The exit code is 0 if it may, 1 if it may not, 2 if that cannot be told.
    """
    from mita_otel.slo.gate import verdict  # noqa: PLC0415 - only this command needs it

    report = _report(url, prometheus, service)
    found = verdict(
        report,
        min_budget=min_budget,
        max_burn=max_burn_1h,
        tiers=range(1, max_tier + 1),
        require_data=require_data,
    )
    for reason in found.reasons:
        typer.echo(reason)
    if found.unknown:
        typer.echo(f"nothing is known of {len(found.unknown)} objectives: {', '.join(found.unknown)}", err=True)
    if not found.is_open:
        raise typer.Exit(REFUSED)
    typer.echo(f"open, by what {report['source']} says of the {report['scope']}")


@app.command()
def explain(
    slo: Annotated[str | None, typer.Argument(metavar="[SLO]", help="Id of an objective. [default: all]")] = None,
    *,
    url: Url = HERE,
    prometheus: Prometheus = None,
    service: Service = None,
    window: Annotated[
        str | None, typer.Option("--window", help="The last 6h, 7d, ... [default: each objective's period]")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=51, help="Contributors of each kind that are shown.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout, with all of it.")] = False,
) -> None:
    """Say what spent the budgets: routes, errors, dependencies, versions and flags, with traces to look at.

    The service is asked with MITA_ADMIN_TOKEN.
    """
    from mita_otel.cli import explaining  # noqa: PLC0415 - only this command needs it

    try:
        if prometheus is None:
            told = explaining.ask(url, Settings.read_leniently(environment())[0], slo, window)
        else:
            told = _explained(prometheus, service, slo, window)
    except (OSError, ValueError, LookupError) as error:
        _give_up(f"{prometheus or url} does not tell who spent the budgets: {error}")
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    else:
        for line in explaining.lines(told, top):
            typer.echo(line)


def _explained(prometheus: str, service: str | None, slo: str | None, window: str | None) -> Mapping[str, Any]:
    from mita_otel.slo.ledger import trace_url  # noqa: PLC0415 - only this way needs them
    from mita_otel.slo.ledger.prometheus import Asked  # noqa: PLC0415 - as above

    settings = Settings.read_leniently(environment())[0]
    asked = Asked(prometheus, _named(service))
    return asked.explained(_loaded(_path(None)).slos, time.time(), name=slo, window=window, traces=trace_url(settings))


def _named(service: str | None) -> str:
    name = service or Settings.read_leniently(environment())[0].service_name
    if name is None:
        _give_up("whose objectives? Give --service, or set OTEL_SERVICE_NAME")
    return name


app.command("import")(formats.read)
app.command("export")(formats.write)


def _path(file: Path | None) -> Path:
    path = file or Settings.read_leniently(environment())[0].slo_file
    if path is None:
        _give_up("there is no file: name one, or set MITA_SLO_FILE")
    return path


def _loaded(path: Path) -> Specification:
    try:
        return load(path)
    except SpecificationError as error:
        for problem in error.problems:
            typer.echo(problem, err=True)
        raise typer.Exit(REFUSED) from error


def _report(url: str, prometheus: str | None, service: str | None) -> Mapping[str, Any]:
    try:
        return _asked(prometheus, service) if prometheus is not None else _fetched(url)
    except (OSError, ValueError) as error:
        where = prometheus if prometheus is not None else f"{url.rstrip('/')}/slo/status"
        _give_up(f"{where} does not tell: {error}")


def _fetched(url: str) -> Mapping[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise ValueError("its URL begins with http:// or https://")
    with urlopen(f"{url.rstrip('/')}/slo/status", timeout=_TIMEOUT) as answer:  # noqa: S310 - checked above
        told = json.loads(answer.read(_LARGEST))
    if not isinstance(told, dict) or "slos" not in told:
        raise ValueError("it answers with something else")
    return told


def _asked(prometheus: str, service: str | None) -> Mapping[str, Any]:
    from mita_otel.slo.engine import Engine  # noqa: PLC0415 - only this way needs them
    from mita_otel.slo.prometheus import PrometheusSource  # noqa: PLC0415 - as above
    from mita_otel.slo.report import report  # noqa: PLC0415 - as above

    if not prometheus.startswith(("http://", "https://")):
        raise ValueError("its URL begins with http:// or https://")
    name = _named(service)
    promised = _loaded(_path(None))
    sight = PrometheusSource(prometheus, name, promised.slos).read()
    return report(Engine(promised.slos, [_Once(sight)], time.time).status(), indicators=promised.indicators)


class _Once:
    """A source that has looked already."""

    def __init__(self, sight: Any) -> None:
        self._sight = sight

    def look(self, now: float) -> Any:
        """Return what was seen."""
        del now
        return self._sight


def _show(report: Mapping[str, Any]) -> None:
    screen = terminal()
    rows = [_row(each) for each in report["slos"]]
    titles = ("objective", "state", "promised", "kept", "budget left", "burn 1h", "stage")
    head = f"{report['overall_status']}, by what {report['source']} says of the {report['scope']}"
    if screen is None:
        typer.echo(head)
        for row in rows:
            typer.echo("\t".join(row))
        return
    from rich.table import Table  # noqa: PLC0415 - slow to import, and only a terminal needs it

    table = Table(*titles, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*row, style="red" if row[1] == "exhausted" else "yellow" if row[1] == "at_risk" else "")
    screen.print(head)
    screen.print(table)


def _row(told: Mapping[str, Any]) -> tuple[str, ...]:
    left, burn, kept = told["error_budget"]["remaining_ratio"], told["burn_rate"]["1h"], told["sli"]
    return (
        told["id"],
        told["state"],
        f"{told['objective']:.5g}",
        "-" if kept is None else f"{kept:.6f}",
        "-" if left is None else f"{left:.1%}",
        "-" if burn is None else f"{burn:.2f}",
        told["policy_stage"] or "-",
    )


def _give_up(sentence: str) -> NoReturn:
    typer.echo(f"mita-otel slo: {sentence}", err=True)
    raise typer.Exit(UNUSABLE)
