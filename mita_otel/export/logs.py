"""Log records into an outbox."""

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from opentelemetry.context import Context
from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mita_otel.export import log_record as wire
from mita_otel.export.pace import Pace
from mita_otel.export.processor import OutboxProcessor
from mita_otel.export.quiet import delivering
from mita_otel.export.sender import Sender
from mita_otel.export.summary import LOGGER
from mita_otel.export.wire import Envelopes, Piece, join

if TYPE_CHECKING:
    from mita_otel.export.spool import Spool

Item: TypeAlias = ReadableLogRecord | Piece
"""A record of the SDK's, to be prepared and encoded in the delivery thread, or one that is ready to go."""


class OutboxLogRecordProcessor(OutboxProcessor[Item], LogRecordProcessor):
    """Delivers log records.

    Records that delivery itself causes (a library's debug lines about the connection) are not taken, else each batch
    would make the next one; the summary's own two lines a minute are.

    Args:
        sender: For the `logs` signal.
        prepare: Applied to each record of the SDK's before encoding, such as redaction; a record for which it raises
            is dropped.
        pace: Sizes and times.
        spool: Where to store what is left in a long outage or at the end.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        prepare: Callable[[ReadableLogRecord], ReadableLogRecord] | None = None,
        pace: Pace | None = None,
        spool: "Spool | None" = None,
    ) -> None:
        self._prepare = prepare
        self._envelopes = Envelopes()
        super().__init__("log", "logs", self._encode, sender=sender, prepare=None, pace=pace, spool=spool)

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Put a copy of the record into the outbox, without the context that would keep the request alive."""
        try:
            scope = log_record.instrumentation_scope
            if delivering() and (scope is None or scope.name != LOGGER):
                return
            record = copy.copy(log_record.log_record)
            record.context = Context()
            self._outbox.put(
                ReadableLogRecord(
                    log_record=record,
                    resource=log_record.resource or Resource.get_empty(),
                    instrumentation_scope=scope,
                    limits=log_record.limits,
                )
            )
        except Exception:  # noqa: BLE001 - the guard of this room: logging must not fail
            self._outbox.discard()

    def put(self, resource: Resource, scope: InstrumentationScope, record: bytes) -> None:
        """Put a record into the outbox that is prepared and encoded.

        Args:
            resource: whose it is.
            scope: the logger's.
            record: made by `log_record.record`.
        """
        self._outbox.put((self._envelopes.of(resource, scope), record))

    def _encode(self, items: Sequence[Item]) -> bytes:
        return join([item if isinstance(item, tuple) else self._piece(item) for item in items])

    def _piece(self, readable: ReadableLogRecord) -> Piece:
        if self._prepare is not None:
            readable = self._prepare(readable)
        return self._envelopes.of(readable.resource, readable.instrumentation_scope), wire.encode(readable)
