"""Which instruments there are, and their series."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import orjson

VALUES_LIMIT: Final = 50
"""Values of an attribute that are listed."""
_LONGEST_VALUE: Final = 1_000


@dataclass(slots=True)
class Instrument:
    """Instruments of one name, unit and kind, of all services.

    Attributes:
        name: of the metric.
        unit: UCUM.
        kind: sum, gauge, histogram, exponential_histogram or summary.
        description: the longest that is there.
        monotonic: whether it only grows; sums may.
        services: that have it.
        series: how many there are.
        attributes: values by key, the first of them.
    """

    name: str
    unit: str
    kind: str
    description: str = ""
    monotonic: bool = False
    services: list[str] = field(default_factory=list)
    series: int = 0
    attributes: dict[str, dict[str, None]] = field(default_factory=dict)


def instruments(connection: sqlite3.Connection) -> list[Instrument]:
    """Return all instruments that have series, by name."""
    rows = connection.execute(
        "SELECT id, name, unit, kind, description, monotonic, service FROM instruments"
        " ORDER BY name, kind, unit, service"
    )
    found: dict[tuple[str, str, str], Instrument] = {}
    by_id: dict[int, Instrument] = {}
    for id_, name, unit, kind, description, monotonic, service in rows.fetchall():
        instrument = found.setdefault((name, unit, kind), Instrument(name, unit, kind))
        instrument.description = max(instrument.description, description, key=len)
        instrument.monotonic = instrument.monotonic or bool(monotonic)
        instrument.services.append(service)
        by_id[id_] = instrument
    _count_series(connection, by_id)
    return [instrument for instrument in found.values() if instrument.series]


def _count_series(connection: sqlite3.Connection, by_id: dict[int, Instrument]) -> None:
    totals = connection.execute("SELECT instrument, attributes, count(*) FROM series GROUP BY instrument, attributes")
    for id_, attributes, count in totals:
        instrument = by_id[id_]
        instrument.series += count
        for key, value in read_attributes(attributes).items():
            values = instrument.attributes.setdefault(key, {})
            if len(values) < VALUES_LIMIT and len(value) <= _LONGEST_VALUE:
                values[value] = None


def read_attributes(text: str) -> dict[str, str]:
    """Return the attributes of a series as they are stored, their values as text, in the order of their keys."""
    return {key: _text_of(value) for key, value in orjson.loads(text).items()}


def _text_of(value: Any) -> str:
    # As `blocks.value_text` says it, but for bytes, which are hexadecimal text in the stored JSON already.
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode() if isinstance(value, (bool, list, dict)) else repr(value)


class Series(NamedTuple):
    """One series of an instrument."""

    id: int
    service: str
    temporality: int
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The instruments of a name that agree on kind and unit, and their series."""

    name: str
    unit: str
    kind: str
    monotonic: bool
    series: list[Series]


def choose(
    connection: sqlite3.Connection, name: str, *, service: str = "", kind: str = "", unit: str | None = None
) -> Chosen | None:
    """Return the series of a metric, those with the kind and unit that most have; None if there is no such metric.

    Args:
        connection: to read from.
        name: of the metric.
        service: only those of this one, if given.
        kind: only those of this kind, if given.
        unit: only those of this unit, if given.
    """
    agreeing: dict[tuple[str, str], list[Series]] = {}
    monotonic = False
    for id_, its_kind, its_unit, is_monotonic, its_service, temporality in connection.execute(
        "SELECT id, kind, unit, monotonic, service, temporality FROM instruments WHERE name = ?", (name,)
    ).fetchall():
        if service in {"", its_service} and kind in {"", its_kind} and unit in {None, its_unit}:
            monotonic = monotonic or bool(is_monotonic)
            agreeing.setdefault((its_kind, its_unit), []).extend(_series_of(connection, id_, its_service, temporality))
    if not agreeing:
        return None
    (its_kind, its_unit), series = max(agreeing.items(), key=lambda item: (len(item[1]), item[0]))
    return Chosen(name, its_unit, its_kind, monotonic, series)


def _series_of(connection: sqlite3.Connection, instrument: int, service: str, temporality: int) -> Iterator[Series]:
    rows = connection.execute("SELECT id, attributes FROM series WHERE instrument = ?", (instrument,))
    return (Series(id_, service, temporality, read_attributes(text)) for id_, text in rows)
