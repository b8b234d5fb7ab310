"""Log records into an outbox."""

import copy
from collections.abc import Callable, Sequence

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.metrics import MeterProvider
from opentelemetry.sdk._logs import LogRecordProcessor, ReadableLogRecord, ReadWriteLogRecord
from opentelemetry.sdk.resources import Resource

from mita_otel.export.observation import observe
from mita_otel.export.outbox import Closed, Outbox
from mita_otel.export.pace import Pace
from mita_otel.export.quiet import delivering
from mita_otel.export.sender import Sender
from mita_otel.export.spans import DEFAULT_TIMEOUT_MILLIS
from mita_otel.export.statistics import Statistics
from mita_otel.export.summary import LOGGER


class OutboxLogRecordProcessor(LogRecordProcessor):
    """Delivers log records, and says the truth about it.

    Records that delivery itself causes (a library's debug lines about the connection) are not taken, else each batch
    would make the next one; the summary's own two lines a minute are.

    Args:
        sender: For the `logs` signal.
        prepare: Applied to each record in the delivery thread before encoding, such as redaction. A record for which
            it raises is dropped and counted: what could not be masked does not leave.
        pace: Sizes and times.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        prepare: Callable[[ReadableLogRecord], ReadableLogRecord] | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._prepare = prepare
        self._outbox: Outbox[ReadableLogRecord] = Outbox(signal="logs", encode=self._encode, sender=sender, pace=pace)

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

    def force_flush(self, timeout_millis: int = DEFAULT_TIMEOUT_MILLIS) -> bool:
        """Return True only if every record emitted before the call was acknowledged within the time."""
        return self._outbox.flush(timeout_millis / 1000)

    def shutdown(self) -> None:
        """Close with the SDK's default of 30 s; call `close` for a deadline of your own."""
        self.close(DEFAULT_TIMEOUT_MILLIS / 1000)

    def close(self, timeout: float) -> Closed:
        """Deliver what is here for at most `timeout` seconds, then stop."""
        return self._outbox.close(timeout)

    def statistics(self) -> Statistics:
        """Return the counts of this moment."""
        return self._outbox.statistics()

    def observe(self, meter_provider: MeterProvider) -> None:
        """Publish the counts as the standard SDK metrics."""
        observe(self._outbox, "log", meter_provider)

    def _encode(self, records: Sequence[ReadableLogRecord]) -> bytes:
        prepared = records if self._prepare is None else [self._prepare(record) for record in records]
        payload: bytes = encode_logs(prepared).SerializeToString()
        return payload
