"""Requests written together: what each is answered, and what happens when the disk or our own code fails."""

import logging
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from mita_otel.console.receive.body import RefusedError, gunzip
from mita_otel.console.receive.decode import batches_of
from mita_otel.console.store.retention import Retention
from mita_otel.console.store.writing import Signal, Store

_log = logging.getLogger(__name__)

_PAUSE: Final = 60.0
"""Seconds between two complaints about the disk."""

OK: Final = 200
FAILED: Final = 500
UNAVAILABLE: Final = 503


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came: `is_gzip` if its body is packed."""

    signal: Signal
    body: bytes
    is_json: bool = False
    is_gzip: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered, whatever the protocol.

    Attributes:
        status: as of HTTP.
        message: why it was not taken, or not all of it.
        rejected: items that were refused while the others were taken.
    """

    status: int = OK
    message: str = ""
    rejected: int = 0


class Transactions:
    """Writes requests and keeps the store within its limits, on one thread."""

    def __init__(self, store: Store, retention: Retention) -> None:
        self._store = store
        self._retention = retention
        self._is_broken = False
        self._complained = -_PAUSE

    def serve(self, requests: Sequence[Asked]) -> list[Answer]:
        """Write requests in one transaction, and return their answers once it is durable."""
        try:
            self._mend()
            self._store.begin()
            answers = [self._write(request) for request in requests]
            self._store.commit()
        except sqlite3.Error as error:
            self._fail(error)
            return [Answer(UNAVAILABLE, f"nothing was stored: {error}")] * len(requests)
        except Exception:  # noqa: BLE001 - whatever it is, the console stays up and says so
            self._is_broken = True
            if len(requests) > 1:
                return [answer for request in requests for answer in self.serve([request])]
            _log.exception("a request to the console failed for a reason of the console's own")
            return [Answer(FAILED, "the console failed at this request; its log says where")]
        return answers

    def _write(self, request: Asked) -> Answer:
        try:
            body = gunzip(request.body) if request.is_gzip else request.body
            batches = batches_of(request.signal, body, is_json=request.is_json)
        except RefusedError as error:
            self._store.counters.add("requests.malformed")
            return Answer(error.status, str(error))
        outcome = self._store.write(request.signal, batches)
        return Answer(OK, outcome.reason, outcome.refused)

    def tidy(self, seconds: float) -> bool:
        """Delete what is too old or too much for about so long; return whether there is more to do at once."""
        try:
            self._mend()
            return self._retention.step(seconds)
        except sqlite3.Error as error:
            self._fail(error)
            return False

    def _mend(self) -> None:
        """Undo what failed, unless that is done."""
        if self._is_broken:
            self._store.rollback()
            self._is_broken = False

    def _fail(self, error: sqlite3.Error) -> None:
        """Undo, and make room if that is what is missing."""
        self._is_broken = True
        self._complain("nothing can be stored: %s", error)
        self._try(self._mend)
        if is_full(error):
            self._try(self._retention.make_room)

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except sqlite3.Error as error:
            self._is_broken = True
            self._complain("no room can be made: %s; free some space, or lower --max-size", error)

    def _complain(self, message: str, error: sqlite3.Error) -> None:
        now = time.monotonic()
        if now - self._complained >= _PAUSE:
            self._complained = now
            _log.error(message, error)


def is_full(error: sqlite3.Error) -> bool:
    """Return whether an error says that there is no room: some of SQLite's I/O errors mean that too."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
