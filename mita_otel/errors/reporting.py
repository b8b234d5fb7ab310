"""One error of one request, told to everyone who asks: the log, the span, its group, and Alertmanager."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from opentelemetry import trace

from mita_otel.errors.body import new_error_id
from mita_otel.errors.fingerprint import fingerprint, root_cause
from mita_otel.errors.groups import Alert, Groups, Occurrence
from mita_otel.errors.taxonomy import Kind, Severity
from mita_otel.traces import request

ERROR_ID: Final = "mita.error.id"
FINGERPRINT: Final = "mita.error.fingerprint"
CODE: Final = "mita.error.code"
CATEGORY: Final = "mita.error.category"
SEVERITY: Final = "mita.error.severity"
ERROR_TYPE: Final = "error.type"
ROUTE: Final = "http.route"

LEVELS: Final[Mapping[Severity, int]] = {
    Severity.LOW: logging.INFO,
    Severity.MEDIUM: logging.WARNING,
    Severity.HIGH: logging.ERROR,
    Severity.CRITICAL: logging.CRITICAL,
}
"""How loud an error is in the log. Source: observability report, section 3.2."""

_logger: Final = logging.getLogger("mita_otel.errors")


class Teller(Protocol):
    """Takes alerts to where somebody sees them."""

    def tell(self, alert: Alert) -> None:
        """Let an alert be delivered; never blocks, never raises."""


class Reporter:
    """Reports the errors of one application; its groups are those of this process.

    Args:
        version: of the service, for `first seen in`.
        teller: takes alerts further; the log has them in any case.
        clock: seconds since the epoch.
        monotonic: seconds of a clock that does not go back.
    """

    def __init__(
        self,
        version: str = "",
        teller: Teller | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.groups = Groups(monotonic)
        self.version = version
        self._teller = teller
        self.clock = clock

    def report(
        self, error: BaseException, kind: Kind, code: str, *, route: str = "", handled: bool = True
    ) -> Occurrence:
        """Report an error, and return what is known of it.

        Args:
            error: as it was caught.
            kind: how it is classified.
            code: what the client is told.
            route: template of the request's path.
            handled: whether somebody foresaw it; of what nobody did the server logs the traceback.
        """
        span = trace.get_current_span()
        context = span.get_span_context()
        occurrence = Occurrence(
            error_id=new_error_id(),
            fingerprint=fingerprint(error),
            code=code,
            type=type(root_cause(error)).__qualname__,
            kind=kind,
            at=self.clock(),
            version=self.version,
            trace_id=trace.format_trace_id(context.trace_id) if context.is_valid else "",
            route=route,
        )
        request.erred(occurrence.type)
        attributes = described(occurrence)
        # The span's own route is whoever's who made the span.
        span.set_attributes({name: value for name, value in attributes.items() if name != ROUTE})
        level = LEVELS[kind.severity]
        # The traceback of what was foreseen and is grave would be lost; of the rest the message says enough.
        traceback = error if handled and level >= logging.ERROR else None
        _logger.log(level, "%s: %s", code, occurrence.type, extra=attributes, exc_info=traceback)
        alert = self.groups.occurred(occurrence)
        if alert is not None:
            self._tell(alert)
        return occurrence

    def _tell(self, alert: Alert) -> None:
        occurrence = alert.occurrence
        _logger.warning(
            "errors of one origin reached the threshold of %s: %d of %s",
            *(alert.severity.value, alert.since_last, occurrence.type),
            extra={
                **described(occurrence),
                "event.name": "mita.error.alert",
                "mita.error.alert.severity": alert.severity.value,
                "mita.error.alert.occurrences": alert.since_last,
            },
        )
        if self._teller is not None:
            self._teller.tell(alert)


def described(occurrence: Occurrence) -> dict[str, str]:
    """Return an occurrence as attributes of spans and log records."""
    return {
        ERROR_ID: occurrence.error_id,
        FINGERPRINT: occurrence.fingerprint,
        CODE: occurrence.code,
        CATEGORY: occurrence.kind.category.value,
        SEVERITY: occurrence.kind.severity.value,
        ERROR_TYPE: occurrence.type,
        **({ROUTE: occurrence.route} if occurrence.route else {}),
    }
