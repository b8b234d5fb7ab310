"""Counts the requests that end with an error."""

from typing import Final

from opentelemetry.metrics import MeterProvider

from mita_otel.errors import of_exception, of_status
from mita_otel.metrics.catalogue.reliability import ERRORS
from mita_otel.metrics.recording import Total

FIRST_ERROR: Final = 400
"""Statuses from here on are errors."""


class Errors:
    """The counter of errors, each request at most once."""

    __slots__ = ("_total",)

    def __init__(self, provider: MeterProvider) -> None:
        self._total = Total(ERRORS, provider.get_meter("mita_otel.web.errors"))

    def count(self, status: int, error: Exception | None) -> None:
        """Count a request by its status and the exception that no one handled; one that went well costs a comparison.

        Args:
            status: of the response, 0 if none was begun.
            error: what left the application.
        """
        if error is None and status < FIRST_ERROR:
            return
        kind = of_exception(error) if error is not None else of_status(status)
        if kind is not None:
            self._total.add(category=kind.category, severity=kind.severity)
