"""One process's audit log while it runs: its chain, its journal, its writer."""

import logging
import os
import re
import secrets
import socket
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import URL

from mita_otel.logs.audit.database import Database, digest_of
from mita_otel.logs.audit.durability import Durability
from mita_otel.logs.audit.intake import Intake, utc_now
from mita_otel.logs.audit.journal import Journal
from mita_otel.logs.audit.keys import KeyRing
from mita_otel.logs.audit.model import Event
from mita_otel.logs.audit.statistics import LOGGER, STREAM, Statistics
from mita_otel.logs.audit.writer import Writer, system_event

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST: Final = 100
_logger: Final = logging.getLogger(LOGGER)


@dataclass(frozen=True, slots=True)
class Options:
    """What an audit log is made of.

    Attributes:
        url: the database.
        root: the folder of journals, of all services.
        service: whose events they are.
        instance: this process of it, `service.instance.id`.
        keys: the current one seals.
        journal_limit: bytes on disk.
        now: the clock.
    """

    url: URL
    root: Path
    service: str
    instance: str
    keys: KeyRing
    journal_limit: int
    now: Callable[[], datetime] = utc_now

    @property
    def folder(self) -> Path:
        """The folder of this service's journals for this database."""
        return self.root / f"{_name(self.service)}-{digest_of(self.url)}"


class AuditLog:
    """Acknowledges events and brings them into the database; a forked child goes on with a log of its own.

    Args:
        options: what it is made of.
        statistics: counts.

    Attributes:
        is_running: from `start` to `stop`.
    """

    __slots__ = (
        *("__weakref__", "_beginning", "_durability", "_intake", "_is_forked", "_options", "_statistics", "_writer"),
        "is_running",
    )

    def __init__(self, options: Options, statistics: Statistics) -> None:
        self._options = options
        self._statistics = statistics
        self.is_running = False
        self._is_forked = False
        self._beginning = threading.Lock()
        self._begin()
        reference = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _after_fork(reference))

    @property
    def chain(self) -> str:
        """The name of the chain."""
        return self._intake.head.chain

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""
        return self._options.now

    def _begin(self) -> None:
        options = self._options
        # An instance that is started again has the same id, in a container also the same process id: each start is a
        # chain of its own.
        chain = f"{_name(options.instance)}.{options.now():%Y%m%dT%H%M%S}.{secrets.token_hex(4)}"
        self._intake = Intake(chain, options.keys.current, self._journal(chain), self._statistics, options.now)
        database = Database(options.url)
        self._writer = Writer(
            self._intake,
            database,
            root=options.folder,
            key=options.keys.current,
            statistics=self._statistics,
            now=options.now,
        )
        self._durability = Durability(self._intake, self._statistics)
        self._statistics.waiting = lambda: self._intake.waiting
        self._statistics.behind = self._intake.behind
        self._statistics.size = self._intake.size

    def _journal(self, chain: str) -> Journal | None:
        folder = self._options.folder / chain
        try:
            return Journal(folder, self._options.journal_limit)
        except OSError as error:
            sentence = f"no journal can be kept in {folder}: set MITA_AUDIT_FOLDER to a folder that may be written to"
            self._statistics.failed("journal", f"{sentence}; until then a kill loses what waits in memory", error)
            return None

    def start(self) -> None:
        """Record the start, and begin to write."""
        options = self._options
        if _logger.level == logging.NOTSET:
            # Checkpoints are evidence: no level of the root takes them away.
            _logger.setLevel(logging.INFO)
        if not options.keys.is_keyed:
            _logger.warning(
                "the audit log has no key: whoever may write its table may forge it; set MITA_AUDIT_SIGNING_KEY",
                extra=STREAM,
            )
        if options.url.get_backend_name() == "sqlite":
            _logger.warning(
                "the audit log is in SQLite: without partitions and without a role that may only insert", extra=STREAM
            )
        details: dict[str, Any] = {"service": options.service, "host": socket.gethostname(), "pid": os.getpid()}
        self._intake.accept(system_event("audit.started", **details))
        self.is_running = True
        self._writer.start()
        self._durability.start()

    def accept(self, event: Event) -> int:
        """Acknowledge an event; return its place in the chain, or 0 if it was dropped."""
        if self._is_forked:
            self._begin_anew()
        seq = self._intake.accept(event)
        self._writer.hear()
        return seq

    def when_safe(self, seq: int) -> Future[None]:
        """Return what is done as soon as the event at a place outlives a loss of power."""
        return self._durability.when_safe(seq)

    def expect_outbox(self) -> None:
        """Look into the outbox soon."""
        self._writer.expect_outbox()

    def stop(self, timeout: float) -> bool:
        """Record the end and write what waits; return whether the database has everything.

        What it does not have stays in the journal, for the next process of the service.

        Args:
            timeout: seconds.
        """
        self.accept(system_event("audit.stopped"))
        self.is_running = False
        self._durability.stop()
        is_written = self._writer.stop(timeout)
        if not is_written:
            _logger.warning(
                "%d audit events wait in the journal for the next process of the service",
                self._intake.waiting,
                extra=STREAM,
            )
        return is_written

    def after_fork(self) -> None:
        """Let go of what is the parent's; a child begins anew with the first event that it has."""
        if self.is_running:
            self._intake.abandon()
            self._beginning = threading.Lock()
            self._is_forked = True

    def _begin_anew(self) -> None:
        with self._beginning:
            if self._is_forked:
                self._begin()
                self.start()
                self._is_forked = False


def _after_fork(reference: "weakref.ref[AuditLog]") -> None:
    log = reference()
    if log is not None:
        log.after_fork()


def _name(text: str) -> str:
    """Return a name that is a folder's, too."""
    return _UNSAFE.sub("_", text)[:_LONGEST].strip(".") or "service"
