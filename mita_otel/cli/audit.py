"""`mita-otel audit ...`: what was recorded, and whether it is still what was recorded."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from mita_otel.cli.progress import progress
from mita_otel.logs.audit import AuditError
from mita_otel.logs.audit.keys import KeyRing, read_keys
from mita_otel.settings import Settings, SettingsError, environment

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, help="The audit log: verify it, export it, see its spool."
)

TAMPERED: Final = 1
UNUSABLE: Final = 2

Database = Annotated[
    str | None, typer.Option("--database", help="Its URL. Prefer MITA_AUDIT_DATABASE_URL. [default: DATABASE_URL]")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Trace = Annotated[str | None, typer.Option("--trace", metavar="ID", help="Only chains with records of this trace.")]
Since = Annotated[
    str | None,
    typer.Option("--since", help="From 2026-11-01 or 2026-11-01T12:00:00Z on; 90d or 12h back."),
]


@app.command()
def verify(
    *,
    database: Database = None,
    trace: Trace = None,
    since: Since = None,
    checkpoints: Annotated[
        Path | None, typer.Option("--checkpoints", help="Log records of another store, one JSON object a line.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at every record and name what was done to them.

    The exit code is 0 if everything is as it was written, 1 if something was tampered with, 2 if that cannot be told.
    """
    from mita_otel.logs.audit.reading import Asked, kept_checkpoints, verify_database  # noqa: PLC0415 - slow to import
    from mita_otel.logs.audit.telling import tell  # noqa: PLC0415 - as above

    def work() -> Any:
        url, keys = _opened(database)
        kept = kept_checkpoints(checkpoints) if checkpoints is not None else ()
        asked = Asked(_trace_id(trace), _moment(since), kept)
        with progress("verifying the audit log") as report:
            return asyncio.run(verify_database(url, keys, asked, _seldom(report)))

    found = _explained("verify", work)
    if as_json:
        typer.echo(json.dumps(_plain(found), indent=2))
    else:
        _show(found, trace)
    tell(finding for verdict in found.verdicts for finding in verdict.findings)
    if not found.is_sound:
        raise typer.Exit(TAMPERED)


@app.command()
def export(*, database: Database = None, trace: Trace = None, since: Since = None) -> None:
    """Write every record with its proof, then every checkpoint, as JSON lines on stdout."""
    from mita_otel.logs.audit.reading import Asked, export_database  # noqa: PLC0415 - slow to import

    async def write() -> None:
        url, _ = _opened(database)
        async for line in export_database(url, Asked(_trace_id(trace), _moment(since))):
            typer.echo(json.dumps(line, ensure_ascii=False))

    _explained("export", lambda: asyncio.run(write()))


@app.command()
def spool(*, folder: Annotated[Path | None, typer.Option("--folder", help="[default: MITA_AUDIT_FOLDER]")] = None,
          as_json: AsJson = False) -> None:  # fmt: skip
    """Show what waits on this machine's disk for the database, and whose it is."""
    from mita_otel.logs.audit.spool import journals  # noqa: PLC0415 - slow to import

    found = _explained("spool", lambda: journals(folder or _settings().audit_root()))
    if as_json:
        typer.echo(json.dumps([asdict(journal) for journal in found], indent=2))
        return
    for journal in found:
        typer.echo(
            f"{journal.service}\t{journal.chain}\t{journal.state}\t{journal.events} events\t{journal.size} bytes"
        )
    if not found:
        typer.echo("no journals: every event is in its database")


@app.command()
def migrate(
    *,
    database: Database = None,
    grant_to: Annotated[str | None, typer.Option("--grant-to", help="A role that may insert then.")] = None,
) -> None:
    """Make the tables, for services that have no Alembic; those that have call `audit.schema.upgrade` in a revision."""
    from mita_otel.logs.audit import schema  # noqa: PLC0415 - slow to import
    from mita_otel.logs.audit.database import Database as Opened  # noqa: PLC0415 - as above

    async def make() -> None:
        url, _ = _opened(database)
        opened = Opened(url)
        try:
            await opened.run(schema.upgrade)
            if grant_to is not None:
                await opened.run(lambda connection: schema.grant(connection, grant_to))
        except (OSError, TimeoutError) as error:
            raise AuditError(f"the database cannot be reached: {error}") from error
        finally:
            await opened.close()

    _explained("migrate", lambda: asyncio.run(make()))
    typer.echo("the audit log's tables are there")


def _explained(command: str, work: Callable[[], Any]) -> Any:
    try:
        return work()
    except ModuleNotFoundError as error:
        _fail(command, f"{error.name} is not installed: pip install 'mita-otel[audit]'", error)
    except (AuditError, SettingsError, OSError) as error:
        _fail(command, str(error), error)


def _fail(command: str, sentence: str, error: Exception) -> NoReturn:
    typer.echo(f"mita-otel audit {command}: {sentence}", err=True)
    raise typer.Exit(UNUSABLE) from error


def _settings() -> Settings:
    return Settings.read(environment())


def _opened(database: str | None) -> tuple[Any, KeyRing]:
    from mita_otel.logs.audit.database import read_url  # noqa: PLC0415 - slow to import

    settings = _settings()
    chosen = settings.audit_database_url
    url = database or (chosen.get_secret_value() if chosen is not None else environment().get("DATABASE_URL"))
    if not url:
        raise AuditError("no database is named: give --database, or set MITA_AUDIT_DATABASE_URL")
    return read_url(url), read_keys(settings.audit_keys())


def _trace_id(trace: str | None) -> str | None:
    if trace is None:
        return None
    lowered = trace.strip().lower()
    if len(lowered) != 32 or not set(lowered) <= set("0123456789abcdef"):  # noqa: PLR2004 - digits of a trace id
        raise AuditError(f"--trace {trace!r} is no trace id: it takes 32 hexadecimal digits")
    return lowered


def _moment(since: str | None) -> datetime | None:
    if since is None:
        return None
    unit = {"d": timedelta(days=1), "h": timedelta(hours=1)}.get(since[-1:])
    try:
        if unit is not None:
            return datetime.now(UTC) - int(since[:-1]) * unit
        read = datetime.fromisoformat(since)
    except (ValueError, OverflowError) as error:
        raise AuditError(f"--since {since!r} is no time: it takes 2026-11-01T12:00:00Z, 90d or 12h") from error
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _seldom(report: Callable[[str], object]) -> Callable[[str], object]:
    """Report after a second, and once a second from then on."""
    due = [datetime.now(UTC) + timedelta(seconds=1)]

    def tell(line: str) -> None:
        now = datetime.now(UTC)
        if now >= due[0]:
            due[0] = now + timedelta(seconds=1)
            report(line)

    return tell


def _plain(found: Any) -> dict[str, Any]:
    records = [json.loads(row.body) for row in found.records]
    return {"sound": found.is_sound, "chains": [asdict(verdict) for verdict in found.verdicts], "records": records}


def _show(found: Any, trace: str | None) -> None:
    if trace is not None:
        for row in sorted(found.records, key=lambda row: row.created_at):
            read = json.loads(row.body)
            affected = f"{read.get('resource_type', '')} {read.get('resource_id', '')}".strip() or "-"
            typer.echo(
                f"{read['occurred_at']}\t{read['event_type']}\t{read['action']}\t{read['outcome']}"
                f"\t{read.get('user', '-')}\t{affected}\t{row.chain} {row.seq}"
            )
    for verdict in found.verdicts:
        for finding in verdict.findings:
            typer.echo(f"{finding.kind.upper()}\t{finding.chain} {finding.places}\t{finding.explanation}")
        if verdict.more:
            typer.echo(f"and {verdict.more} more of {verdict.chain}")
    records = sum(verdict.records for verdict in found.verdicts)
    kinds = Counter(finding.kind for verdict in found.verdicts for finding in verdict.findings)
    said = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items())) or "nothing was tampered with"
    typer.echo(f"{records} records in {len(found.verdicts)} chains: {said}")
    for verdict in found.verdicts:
        if not verdict.keyed:
            typer.echo(f"note: {verdict.chain} has no key: whoever may write to its table may forge it")
        if not verdict.stopped and not verdict.chain.endswith(".outbox"):
            typer.echo(f"note: {verdict.chain} has no end: its process runs, or was killed")
