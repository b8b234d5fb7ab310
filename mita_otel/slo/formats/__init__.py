"""Objectives of other tools: sloth's and pyrra's files read and written, and what of them is lost on the way told.

An exported file counts our own events, by `mita_slo_events_total`, and carries what they are in an annotation: it can
be imported again without a loss. Of others' files that is read which counts requests; what counts something else
becomes events that the service has to tell of.
"""

from mita_otel.slo.formats.exporting import Format, exported
from mita_otel.slo.formats.importing import imported
from mita_otel.slo.formats.written import Written

__all__ = ["Format", "Written", "exported", "imported"]
