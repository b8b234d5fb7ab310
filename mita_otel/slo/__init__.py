"""Service level objectives: what is promised, what was kept of it, and what of the budget is left.

    from mita_otel import slo

    slo.event("notifications", good=minutes <= 5)

Objectives are read from the OpenSLO file that `MITA_SLO_FILE` names. Requests are counted by themselves. What judges
them is imported when it is asked for: a process without objectives does not pay for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mita_otel.slo.telling import current, event, outcome_of, use

if TYPE_CHECKING:
    from mita_otel.slo.documents import SpecificationError
    from mita_otel.slo.running import Objectives, start
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

_LATER = {
    "SpecificationError": "documents",
    "Objectives": "running",
    "start": "running",
    **dict.fromkeys(("Indicator", "Slo", "Specification", "load", "parse"), "specification"),
}


def __getattr__(name: str) -> Any:
    """Import what judges objectives when it is asked for."""
    if name in _LATER:
        return getattr(import_module(f"mita_otel.slo.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
