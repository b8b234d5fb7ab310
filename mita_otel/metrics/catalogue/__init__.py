"""Every instrument whose metrics leave the process, once: code creates them from here, Views and pages follow.

To add one, write a constant into its topic's module and call its `create(meter)`, or `observe(meter, callback)`, where
it is fed. Its attributes come from closed sets, or say what bounds them; its buckets hold every threshold that it is
compared with.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Final

from mita_otel.metrics.catalogue import (
    audit,
    breakers,
    business,
    cache,
    database,
    degradation,
    health,
    http,
    process,
    reliability,
    retries,
    slo,
    system,
    telemetry,
)
from mita_otel.metrics.instrument import Instrument

TOPICS: Final[tuple[ModuleType, ...]] = (
    business,
    http,
    database,
    cache,
    reliability,
    breakers,
    retries,
    health,
    degradation,
    slo,
    process,
    system,
    audit,
    telemetry,
)
"""The modules of the table, in the order of the reference page."""


def instruments_of(topic: ModuleType) -> tuple[Instrument, ...]:
    """Return the instruments of a topic, in the order of its module."""
    return tuple(value for value in vars(topic).values() if isinstance(value, Instrument))


INSTRUMENTS: Final[Mapping[str, Instrument]] = {
    instrument.name: instrument for topic in TOPICS for instrument in instruments_of(topic)
}
"""Every instrument, by name."""
