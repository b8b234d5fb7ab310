"""Service level objectives: what is promised, what was kept of it, and what of the budget is left.

    from mita_otel import slo

    slo.event("notifications", good=minutes <= 5)

Objectives are read from the OpenSLO file that `MITA_SLO_FILE` names. Requests are counted by themselves.
"""

from mita_otel.slo.documents import SpecificationError
from mita_otel.slo.running import Objectives, current, event, outcome_of, start, use
from mita_otel.slo.specification import Indicator, Slo, Specification, load, parse

__all__ = [
    "Indicator",
    "Objectives",
    "Slo",
    "Specification",
    "SpecificationError",
    "current",
    "event",
    "load",
    "outcome_of",
    "parse",
    "start",
    "use",
]
