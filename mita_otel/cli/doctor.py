"""`mita-otel doctor`: what is wrong, and how to mend it."""

import http.client
import sys
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from mita_otel.cli.terminal import terminal
from mita_otel.doctor import Finding, Report, Verdict, examine
from mita_otel.doctor.direct import DIRECT
from mita_otel.endpoint import masked_url
from mita_otel.settings import DOCTOR_PATH, Settings, environment

if TYPE_CHECKING:
    from rich.table import Table

_TIMEOUT: Final = 60.0
"""Seconds for a service's own examination, which waits for its receivers."""

_ANSWER_LIMIT: Final = 4 * 1024 * 1024
_EX_UNAVAILABLE: Final = 69
"""Exit status where a service could not be asked. Source: sysexits.h."""

_STYLES: Final = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.ERROR: "bold red"}


def run(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    app: Annotated[
        str,
        typer.Option("--app", metavar="MODULE:NAME", help="Import an application, too, and look at its telemetry."),
    ] = "",
    service: Annotated[
        str,
        typer.Option("--service", metavar="URL", help="Ask a running service instead, by its MITA_ADMIN_TOKEN."),
    ] = "",
) -> None:
    """Look for what keeps telemetry from arriving, and say how to mend it.

    The exit code is 0 if all is well, 1 if there are warnings only, 2 if there are errors.
    """
    report = _ask(service) if service else examine(environment(), app)
    if as_json:
        typer.echo(report.as_json())
    else:
        _show(report)
    raise typer.Exit(report.exit_code)


def _show(report: Report) -> None:
    counts = {verdict: sum(one.verdict is verdict for one in report.findings) for verdict in Verdict}
    summary = f"{counts[Verdict.ERROR]} errors, {counts[Verdict.WARNING]} warnings, {counts[Verdict.OK]} in order"
    screen = terminal()
    if screen is not None:
        screen.print(_table(report.findings))
        screen.print(summary, style=_STYLES[report.verdict])
        return
    for finding in report.findings:
        typer.echo(f"{finding.verdict:8} {finding.check:17} {finding.sentence}")
        if finding.fix:
            typer.echo(f"{'':8} {'fix':17} {finding.fix}")
    typer.echo(summary)


def _table(findings: tuple[Finding, ...]) -> "Table":
    from rich.table import Table  # noqa: PLC0415 - slow to import, and only a terminal needs it
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table.grid(padding=(0, 2, 0, 0))
    for finding in findings:
        verdict = Text(finding.verdict, style=_STYLES[finding.verdict])
        table.add_row(verdict, Text(finding.check, style="bold"), Text(finding.sentence))
        if finding.fix:
            table.add_row("", Text("fix", style="dim"), Text(finding.fix, style="italic"))
    return table


def _ask(service: str) -> Report:
    """Fetch the report of a running service."""
    settings, _ = Settings.read_leniently(environment())
    if settings.admin_token is None:
        _fail("set MITA_ADMIN_TOKEN to the service's token, 16 or more characters")
    url = service.rstrip("/") + DOCTOR_PATH
    if not url.startswith(("http://", "https://")):
        _fail(f"--service {masked_url(service)}: give a URL, such as http://127.0.0.1:8000")
    authorization = {"Authorization": f"Bearer {settings.admin_token.get_secret_value()}"}
    request = urllib.request.Request(url, headers=authorization)  # noqa: S310 - http and https alone, see above
    try:
        with DIRECT.open(request, timeout=_TIMEOUT) as answer:
            return Report.from_json(answer.read(_ANSWER_LIMIT).decode())
    except urllib.error.HTTPError as error:
        with error:
            _fail(f"{masked_url(url)} answers {error.code}: {_MEANINGS.get(error.code, error.reason)}")
    except (OSError, http.client.HTTPException) as error:
        _fail(f"{masked_url(url)} does not answer: {getattr(error, 'reason', None) or error}")
    except ValueError as error:
        _fail(f"{masked_url(url)}: {error}")


_MEANINGS: Final = {
    401: "MITA_ADMIN_TOKEN is not the service's",
    404: "the service has no MITA_ADMIN_TOKEN, or does not run under mita_otel",
    429: "an examination is under way; ask again",
}


def _fail(sentence: str) -> NoReturn:
    sys.stderr.write(f"mita-otel doctor: {sentence}\n")
    raise typer.Exit(_EX_UNAVAILABLE)
