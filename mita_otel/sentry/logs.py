"""Log records as breadcrumbs and reports: most are breadcrumbs, and are made at a tenth of the cost of Sentry's own."""

import logging
from logging import LogRecord
from typing import Final

import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration

_LEVELS: Final = {logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error", logging.CRITICAL: "fatal"}

ANSWERED: Final = "mita_otel.errors"
"""Logger of errors that were answered. Without a traceback of one that goes on, and is reported where it leaves."""

_TAGS: Final = ("mita.error.id", "mita.error.code")
"""What the client was told, and the log holds."""


class Logging(LoggingIntegration):
    """Makes breadcrumbs of records from INFO upwards, and reports of those from ERROR upwards."""

    def __init__(self) -> None:
        super().__init__(level=logging.INFO, event_level=logging.ERROR, sentry_logs_level=None)

    def _handle_record(self, record: LogRecord) -> None:
        if record.name == ANSWERED:
            tag(record)
        if record.levelno >= logging.ERROR and (record.exc_info or record.name != ANSWERED):
            super()._handle_record(record)
        elif record.levelno >= logging.INFO:
            leave(record)


def leave(record: LogRecord) -> None:
    """Leave a breadcrumb of a record; never raises."""
    try:  # noqa: SIM105 - a context manager would cost as much as the breadcrumb
        sentry_sdk.add_breadcrumb(
            {
                "type": "log",
                "level": _LEVELS.get(record.levelno, "info"),
                "category": record.name,
                "message": record.getMessage(),
            }
        )
    except Exception:  # noqa: BLE001, S110 - the room's door: arguments that do not fit are told of elsewhere
        pass


def tag(record: LogRecord) -> None:
    """Tag what is reported of this request from now on with what its client was told; never raises."""
    try:
        told = {name: str(value) for name in _TAGS if (value := record.__dict__.get(name))}
        sentry_sdk.get_isolation_scope().set_tags(told)
    except Exception:  # noqa: BLE001, S110 - as above
        pass
