"""Changes that services told of, newest first."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from mita_otel.console.reading.decoding import record_of
from mita_otel.console.store.telling import Event
from mita_otel.console.store.values import attributes_of

CHANGES_LIMIT: Final = 200
"""Of a service and a kind, the newest of them."""
_LARGEST: Final = 65_536
"""Bytes of a record; what is larger is none of ours."""
_LONGEST: Final = 1_000
"""Characters of a text."""
_MOST_TEXTS: Final = 10


@dataclass(frozen=True, slots=True)
class Told:
    """A log record that is read for its attributes; `time` in microseconds since the epoch, `trace` empty for none."""

    id: int
    time: int
    service: str
    trace: bytes
    attributes: dict[str, Any]

    def text(self, key: str) -> str:
        """Return the beginning of an attribute's text; empty if it is not there, or no text."""
        value = self.attributes.get(key)
        return value[:_LONGEST] if isinstance(value, str) else ""

    def texts(self, key: str) -> list[str]:
        """Return the first texts that an attribute lists."""
        value = self.attributes.get(key)
        listed = value[:_MOST_TEXTS] if isinstance(value, list) else []
        return [each[:_LONGEST] for each in listed if isinstance(each, str)]


def changes(connection: sqlite3.Connection, event: Event, service: str = "") -> list[Told]:
    """Return what services told of an event, the newest first; of all services if none is named."""
    names = [service] if service else services_telling(connection, event)
    newest = "SELECT record FROM told WHERE event = ? AND service = ? ORDER BY record DESC LIMIT ?"
    ids = [
        id_ for name in names for (id_,) in connection.execute(newest, (event.value, name, CHANGES_LIMIT)).fetchall()
    ]
    return sorted(told_by(connection, ids).values(), key=lambda told: (-told.time, -told.id))


def services_telling(connection: sqlite3.Connection, event: Event) -> list[str]:
    """Return the services that told of an event, by seeking from one to the next."""
    after = "SELECT min(service) FROM told WHERE event = ? AND service > ?"
    found: list[str] = []
    while (name := connection.execute(after, (event.value, found[-1] if found else "")).fetchone()[0]) is not None:
        found.append(name)
    return found


def told_by(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, Told]:
    """Return log records by their ids; those that are no longer kept are left out."""
    rows = connection.execute(
        "SELECT r.id, r.time, s.service, coalesce(r.trace, x''), b.body FROM json_each(?) CROSS JOIN records r"
        " ON r.id = value JOIN record_bodies b ON b.id = r.id AND length(b.body) <= ?"
        " JOIN resources s ON s.id = r.resource",
        (orjson.dumps(sorted(set(ids))).decode(), _LARGEST),
    )
    return {
        id_: Told(id_, time, service, trace, attributes_of(record_of(body)[0].attributes))
        for id_, time, service, trace, body in rows
    }
