"""Log records into an outbox."""

import copy
from collections.abc import Callable, Sequence

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource

from mita_otel.export.pace import Pace
from mita_otel.export.processor import OutboxProcessor
from mita_otel.export.quiet import delivering
from mita_otel.export.sender import Sender
from mita_otel.export.summary import LOGGER


class OutboxLogRecordProcessor(OutboxProcessor[ReadableLogRecord], LogRecordProcessor):
    """Delivers log records.

    Records that delivery itself causes (a library's debug lines about the connection) are not taken, else each batch
    would make the next one; the summary's own two lines a minute are.

    Args:
        sender: For the `logs` signal.
        prepare: Applied to each record before encoding, such as redaction; a record for which it raises is dropped.
        pace: Sizes and times.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        prepare: Callable[[ReadableLogRecord], ReadableLogRecord] | None = None,
        pace: Pace | None = None,
    ) -> None:
        super().__init__("log", "logs", _encode, sender=sender, prepare=prepare, pace=pace)

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


def _encode(records: Sequence[ReadableLogRecord]) -> bytes:
    payload: bytes = encode_logs(records).SerializeToString()
    return payload
