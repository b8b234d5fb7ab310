"""What whoever tries transactions again counts."""

from typing import Final, Literal, TypeAlias

from opentelemetry.metrics import get_meter

from mita_otel.metrics.catalogue.database import TRANSACTION_RETRIES
from mita_otel.metrics.recording import Total

Reason: TypeAlias = Literal["deadlock", "serialization_failure", "connection", "timeout", "other"]

_retries: Final = Total(TRANSACTION_RETRIES, get_meter("mita_otel.metrics.database"))


def transaction_retried(reason: Reason) -> None:
    """Count a transaction that is about to be tried again, by why the last attempt failed; never raises."""
    _retries.add(reason=reason)
