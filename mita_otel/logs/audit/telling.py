"""Tells the log what a verification found, so that somebody is told who does not look."""

import logging
from collections.abc import Iterable
from itertools import islice
from typing import Final

from mita_otel.logs.audit.statistics import LOGGER, STREAM
from mita_otel.logs.audit.verification import Finding

EVENT: Final = "mita.audit.tampering"
TOLD: Final = 20
"""Findings of one verification that are told one by one; who is told of these looks at the rest."""

_logger: Final = logging.getLogger(LOGGER)
# Where nobody has set up logging, errors would go to stderr: whoever verifies by hand has read them already.
_logger.addHandler(logging.NullHandler())


def tell(findings: Iterable[Finding]) -> None:
    """Log findings as errors of the stream `audit`."""
    for finding in islice(findings, TOLD):
        _logger.error(
            "the audit log was tampered with: %s at %s %s",
            *(finding.kind.value, finding.chain, finding.places),
            extra={
                **STREAM,
                "event.name": EVENT,
                "audit.tampering": finding.kind.value,
                "audit.chain": finding.chain,
                "audit.places": finding.places,
            },
        )
