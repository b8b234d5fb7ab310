"""Log records that tell of a change or an application's error: noted as they come, so that nobody searches for them.

Changes are rare: their records are listed. Errors may come by the thousand: they are counted, by minute, service and
fingerprint, and the oldest and the newest record of each minute stand for the others.
"""

import sqlite3
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from mita_otel.console.store.minutes import MINUTE
from mita_otel.console.store.values import attributes_of

NAME: Final = "event.name"
FINGERPRINT: Final = "mita.error.fingerprint"
CATEGORY: Final = "mita.error.category"
CATEGORIES: Final = (
    *("validation", "authentication", "authorization", "database"),
    *("external_api", "business_logic", "system", "performance"),
)

_DAY: Final = 86_400_000_000
"""Errors farther from now than this, in microseconds, are counted nowhere, as calls are not."""
_LONGEST_FINGERPRINT: Final = 128


class Event(StrEnum):
    """What a listed record tells of, by its `event.name`."""

    BREAKER = "mita.circuit_breaker.state_change"
    HEALTH = "mita.health.change"
    ALERT = "mita.error.alert"
    DEGRADATION = "mita.degradation.change"


def _serialized(key: str, value: str) -> bytes:
    return bytes(KeyValue(key=key, value=AnyValue(string_value=value)).SerializeToString())


_EVENTS: Final = {_serialized(NAME, event.value): event for event in Event}
_ERRORS: Final = frozenset(_serialized(CATEGORY, category) for category in CATEGORIES)
_MARKS: Final = _EVENTS.keys() | _ERRORS
"""Attributes of the records that are meant, as every exporter serializes them: to compare bytes is all that the other
records cost."""


class Telling:
    """Collects what a transaction's records tell, and adds it to the tables at `flush`."""

    __slots__ = ("_connection", "_errors", "_told")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._told: list[tuple[int, str, str]] = []
        self._errors: dict[tuple[int, str, str], list[int]] = {}

    def hear(self, record: int, time: int, service: str, attributes: Sequence[bytes], now: int) -> None:
        """Take in a record, if it tells something.

        Args:
            record: its id.
            time: microseconds since the epoch.
            service: that sent it.
            attributes: serialized ones, all of them well-formed.
            now: microseconds since the epoch.
        """
        if _MARKS.isdisjoint(attributes):
            return
        event = next((_EVENTS[each] for each in attributes if each in _EVENTS), None)
        if event is not None:
            self._told.append((record, event.value, service))
        elif -_DAY < now - time < _DAY:
            self._count(record, time // MINUTE, service, attributes)

    def _count(self, record: int, minute: int, service: str, attributes: Sequence[bytes]) -> None:
        fingerprint = str(attributes_of(map(KeyValue.FromString, attributes)).get(FINGERPRINT) or "")
        if not fingerprint:
            return
        counted = self._errors.setdefault((minute, service, fingerprint[:_LONGEST_FINGERPRINT]), [0, record, record])
        counted[0] += 1
        counted[2] = record

    def flush(self) -> None:
        """Add to the tables."""
        self._connection.executemany("INSERT INTO told VALUES (?, ?, ?)", self._told)
        self._connection.executemany(
            "INSERT INTO error_minutes VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " errors = errors + excluded.errors, newest = excluded.newest",
            [(*key, *counted) for key, counted in self._errors.items()],
        )
        self._told.clear()
        self._errors.clear()
