"""Reads what is stored, chain by chain: for `mita-otel audit verify` and `export`."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from asyncpg import PostgresError
from sqlalchemy import RowMapping, Select, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from mita_otel.logs.audit.chain import Checkpoint, read_body
from mita_otel.logs.audit.checkpoints import PREFIX
from mita_otel.logs.audit.database import Database
from mita_otel.logs.audit.keys import KeyRing
from mita_otel.logs.audit.model import AuditError
from mita_otel.logs.audit.tables import CHECKPOINTS, RECORDS, SEARCHED
from mita_otel.logs.audit.verification import Row, Verdict, Walk

PAGE: Final = 2_000
"""Records that are fetched at once."""

Report = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which records are asked for.

    Attributes:
        trace: only chains that hold records of this trace.
        since: only records from then on; what is before is taken on trust.
        kept: checkpoints of another store, as log records, which vouch for chains that may be gone altogether.
    """

    trace: str | None = None
    since: datetime | None = None
    kept: tuple[Checkpoint, ...] = ()


@dataclass(slots=True)
class Verified:
    """What came of it.

    Attributes:
        verdicts: of each chain, by name.
        records: those of the trace that was asked for, as they are stored.
    """

    verdicts: list[Verdict] = field(default_factory=list)
    records: list[Row] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was done to any chain."""
        return not any(verdict.findings for verdict in self.verdicts)


async def verify_database(url: URL, keys: KeyRing, asked: Asked, report: Report) -> Verified:
    """Judge the chains of a database.

    Args:
        url: of the database, as somebody who may read.
        keys: every key that was ever used.
        asked: which records.
        report: is told how far it is.

    Raises:
        AuditError: the database cannot be read.
    """
    found = Verified()
    async with _reading(url) as connection:
        for chain, begin in (await _chains(connection, asked)).items():
            # Before the records: of a chain that grows meanwhile, what is stated must not be newer than what is read.
            stated = await _checkpoints(connection, chain)
            walk, looked_at = Walk(chain, keys.known, begin), 0
            async for page in _pages(connection, chain, begin):
                await asyncio.to_thread(walk.take, page)
                looked_at += len(page)
                report(f"{chain}: {looked_at} records")
                if asked.trace is not None:
                    found.records += [row for row in page if row.columns["trace_id"] == asked.trace]
            found.verdicts.append(walk.judge([*stated, *(made for made in asked.kept if made.chain == chain)]))
    return found


async def export_database(url: URL, asked: Asked) -> AsyncIterator[dict[str, Any]]:
    """Yield every record with what proves it, then every checkpoint, as plain values.

    Raises:
        AuditError: as `verify_database`.
    """
    async with _reading(url) as connection:
        chains = await _chains(connection, asked)
        for chain, begin in chains.items():
            async for page in _pages(connection, chain, begin):
                for row in page:
                    if asked.trace is None or row.columns["trace_id"] == asked.trace:
                        proof = {"previous": row.previous, "hash": row.hash, "key": row.key}
                        yield {"record": read_body(row.body), "body": row.body, **proof}
        for chain in chains:
            for made in await _checkpoints(connection, chain):
                yield {"checkpoint": asdict(made)}


@asynccontextmanager
async def _reading(url: URL) -> AsyncIterator[AsyncConnection]:
    """Yield a connection to a database; what that raises is explained."""
    database = Database(url)
    try:
        async with database.connect() as connection:
            yield connection
    except (OSError, TimeoutError) as error:
        raise AuditError(f"the audit database cannot be reached: {_first_line(error)}") from error
    except (SQLAlchemyError, PostgresError) as error:
        raise AuditError(f"the audit log cannot be read: {_first_line(error)}") from error
    finally:
        await database.close()


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


async def _chains(connection: AsyncConnection, asked: Asked) -> dict[str, int]:
    """Return the chains that are asked for, and the place in each at which to begin."""
    wanted: Select[Any] = select(RECORDS.c.chain, func.min(RECORDS.c.seq)).group_by(RECORDS.c.chain)
    if asked.since is not None:
        wanted = wanted.where(RECORDS.c.created_at >= asked.since)
    if asked.trace is not None:
        wanted = wanted.where(RECORDS.c.chain.in_(select(RECORDS.c.chain).where(RECORDS.c.trace_id == asked.trace)))
    first = {row[0]: int(row[1]) for row in await connection.execute(wanted)}
    begins = {chain: seq if asked.since is not None else 1 for chain, seq in first.items()}
    if asked.trace is None:
        # Of a chain that is gone its checkpoints may still tell.
        stated: Select[Any] = select(CHECKPOINTS.c.chain).distinct()
        if asked.since is not None:
            stated = stated.where(CHECKPOINTS.c.at >= asked.since.strftime("%Y-%m-%dT%H:%M:%S"))
        names = [row[0] for row in await connection.execute(stated)] + [made.chain for made in asked.kept]
        for chain in names:
            begins.setdefault(chain, 1)
    return dict(sorted(begins.items()))


async def _pages(connection: AsyncConnection, chain: str, begin: int) -> AsyncIterator[list[Row]]:
    after, size = begin - 1, PAGE
    while True:
        wanted = (
            select(RECORDS)
            .where(RECORDS.c.chain == chain, RECORDS.c.seq > after)
            .order_by(RECORDS.c.seq, RECORDS.c.created_at)
            .limit(size)
        )
        found = [_row(row) for row in (await connection.execute(wanted)).mappings()]
        if len(found) < size:
            yield found
            return
        # Several rows may claim the last place: those of it come with the next page, whole.
        whole = [row for row in found if row.seq < found[-1].seq]
        if whole:
            yield whole
            after, size = whole[-1].seq, PAGE
        else:
            size += PAGE


def _row(row: RowMapping) -> Row:
    columns = {name: row[name] for name in SEARCHED}
    proof = ("chain", "seq", "created_at", "body", "previous", "hash", "key")
    return Row(**{name: row[name] for name in proof}, columns=columns)


async def _checkpoints(connection: AsyncConnection, chain: str) -> list[Checkpoint]:
    wanted = select(CHECKPOINTS).where(CHECKPOINTS.c.chain == chain).order_by(CHECKPOINTS.c.seq)
    return [Checkpoint(**row) for row in (await connection.execute(wanted)).mappings()]


def kept_checkpoints(file: Path) -> tuple[Checkpoint, ...]:
    """Read the checkpoints out of log records, one JSON object a line, as this distribution writes them or Loki's.

    Raises:
        AuditError: the file cannot be read, or holds none.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            found = tuple(made for line in lines for made in _checkpoints_in(line))
    except (OSError, UnicodeDecodeError) as error:
        raise AuditError(f"the checkpoints of {file} cannot be read: {error}") from error
    if not found:
        raise AuditError(f"{file} holds no checkpoint: it takes log records whose fields begin with {PREFIX!r}")
    return found


def _checkpoints_in(line: str) -> Iterator[Checkpoint]:
    try:
        read = json.loads(line)
    except ValueError:
        return
    for candidate in _mappings(read):
        parts = {name: candidate.get(f"{PREFIX}{name}") for name in ("chain", "seq", "hash", "at", "key", "proof")}
        exported = candidate.get("checkpoint")
        if isinstance(exported, dict) and exported.keys() == parts.keys():
            parts = exported
        if None not in parts.values():
            yield Checkpoint(**{**parts, "seq": int(parts["seq"])})  # type: ignore[arg-type]  # the rest is text


def _mappings(read: Any) -> Iterable[Mapping[str, Any]]:
    if not isinstance(read, dict):
        return ()
    nested: Sequence[Any] = [read.get(name) for name in ("labels", "fields", "attributes", "stream")]
    return [read, *(part for part in nested if isinstance(part, dict))]
