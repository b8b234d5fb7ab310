"""Writes data points of metrics, their series and their exemplars."""

import sqlite3
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # no types are shipped
from opentelemetry.proto.metrics.v1.metrics_pb2 import DataPointFlags, Metric

from mita_otel.console.store.blocks import value_text
from mita_otel.console.store.names import Origin
from mita_otel.console.store.outcome import Outcome
from mita_otel.console.store.values import attributes_of

SERIES_LIMIT: Final = 50_000
INSTRUMENTS_LIMIT: Final = 10_000
_EXEMPLARS_LIMIT: Final = 32
"""Of one data point; SDKs keep one for each bucket."""
_KINDS: Final = frozenset({"sum", "gauge", "histogram", "exponential_histogram", "summary"})
_NO_VALUE: Final = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK


class _Instrument(NamedTuple):
    id: int
    kind: str


class PointWriter:
    """Writes data points within the transactions of the connection; `flush` must come before each commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._instruments: dict[tuple[Any, ...], _Instrument] = {}
        self._series: dict[bytes, int] = {}
        self._points: list[tuple[Any, ...]] = []
        self._exemplars: list[tuple[Any, ...]] = []
        (self._instrument_count,) = connection.execute("SELECT count(*) FROM instruments").fetchone()
        (self._series_count,) = connection.execute("SELECT count(*) FROM series").fetchone()

    def write(self, origin: Origin, items: Iterable[bytes], now: int, outcome: Outcome) -> None:
        """Write the data points of serialized metrics of one origin, as `SpanWriter.write` does spans."""
        for item in items:
            try:
                metric = Metric.FromString(item)
            except DecodeError:
                outcome.refuse("malformed metric: invalid UTF-8, or values nested too deep")
                continue
            kind = metric.WhichOneof("data")
            if kind not in _KINDS:
                continue  # of a kind that is newer than this program, or without data
            data = getattr(metric, kind)
            instrument = self._instrument(origin.service, metric, kind, data)
            if instrument is None:
                outcome.refuse(f"more than {INSTRUMENTS_LIMIT} instruments", len(data.data_points))
                continue
            for point in data.data_points:
                self._add(origin, instrument, point, now, outcome)

    def _instrument(self, service: str, metric: Metric, kind: str, data: Any) -> _Instrument | None:
        monotonic = int(kind == "sum" and data.is_monotonic)
        temporality = getattr(data, "aggregation_temporality", 0)
        key = (service, metric.name, metric.unit, metric.description, kind, monotonic, temporality)
        found = self._instruments.get(key)
        if found is None:
            if self._instrument_count >= INSTRUMENTS_LIMIT and not self._find_instrument(key):
                return None
            self._connection.execute(
                "INSERT INTO instruments(service, name, unit, description, kind, monotonic, temporality)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET description = excluded.description,"
                " monotonic = excluded.monotonic, temporality = excluded.temporality",
                key,
            )
            (self._instrument_count,) = self._connection.execute("SELECT count(*) FROM instruments").fetchone()
            if len(self._instruments) >= INSTRUMENTS_LIMIT:
                self._instruments.clear()
            found = self._instruments[key] = _Instrument(self._find_instrument(key) or 0, kind)
        return found

    def _find_instrument(self, key: tuple[Any, ...]) -> int | None:
        find = "SELECT id FROM instruments WHERE service = ? AND name = ? AND unit = ? AND kind = ?"
        found = self._connection.execute(find, (*key[:3], key[4])).fetchone()
        return int(found[0]) if found else None

    def _add(self, origin: Origin, instrument: _Instrument, point: Any, now: int, outcome: Outcome) -> None:
        series = self._series_of(origin, instrument.id, point.attributes)
        kind = instrument.kind
        if series is None:
            outcome.refuse(f"more than {SERIES_LIMIT} series")
            return
        time = point.time_unix_nano // 1000 or now
        exemplars = list(point.exemplars)[:_EXEMPLARS_LIMIT] if kind != "summary" else []
        for exemplar in exemplars:
            self._exemplars.append(_exemplar_row(series, exemplar, time))
        self._points.append(
            (series, time, point.start_time_unix_nano // 1000, _value_of(point, kind), _body_of(point, kind))
        )
        outcome.accepted += 1

    def _series_of(self, origin: Origin, instrument: int, attributes: Any) -> int | None:
        parts = (b"%d/%d" % (instrument, origin.resource), *(pair.SerializeToString() for pair in attributes))
        key = blake2b(b"\0".join(parts), digest_size=16).digest()
        found = self._series.get(key)
        if found is None:
            found = self._store_series(instrument, origin.resource, attributes)
            if found is not None:
                if len(self._series) >= SERIES_LIMIT:
                    self._series.clear()
                self._series[key] = found
        return found

    def _store_series(self, instrument: int, resource: int, attributes: Any) -> int | None:
        text = value_text(attributes_of(attributes))
        key = (instrument, resource, blake2b(text.encode(), digest_size=16).digest())
        find = "SELECT id FROM series WHERE instrument = ? AND resource = ? AND digest = ?"
        found = self._connection.execute(find, key).fetchone()
        if found:
            return int(found[0])
        if self._series_count >= SERIES_LIMIT:
            return None
        self._series_count += 1
        add = "INSERT INTO series(instrument, resource, digest, attributes) VALUES (?, ?, ?, ?)"
        return int(self._connection.execute(add, (*key, text)).lastrowid or 0)

    def forget(self) -> None:
        """Look up instruments and series anew, after some were deleted."""
        self._instruments.clear()
        self._series.clear()
        (self._instrument_count,) = self._connection.execute("SELECT count(*) FROM instruments").fetchone()
        (self._series_count,) = self._connection.execute("SELECT count(*) FROM series").fetchone()

    def flush(self) -> None:
        """Write what is collected; of two points of a series at one time the later counts."""
        self._connection.executemany("INSERT OR REPLACE INTO points VALUES (?, ?, ?, ?, ?)", self._points)
        self._connection.executemany(
            "INSERT INTO exemplars(series, time, value, trace, span) VALUES (?, ?, ?, ?, ?)", self._exemplars
        )
        self._points.clear()
        self._exemplars.clear()


def _value_of(point: Any, kind: str) -> float | None:
    if point.flags & _NO_VALUE:
        return None
    if kind in {"sum", "gauge"}:
        return _number_of(point)
    return float(point.count)


def _number_of(point: Any) -> float | None:
    which = point.WhichOneof("value")
    return float(getattr(point, which)) if which else None


def _body_of(point: Any, kind: str) -> bytes | None:
    if kind in {"sum", "gauge"}:
        return None
    bare = type(point)()
    bare.CopyFrom(point)
    bare.ClearField("attributes")
    if kind != "summary":
        bare.ClearField("exemplars")
    return bytes(bare.SerializeToString())


def _exemplar_row(series: int, exemplar: Any, time: int) -> tuple[Any, ...]:
    trace, span = exemplar.trace_id, exemplar.span_id
    return (series, exemplar.time_unix_nano // 1000 or time, _number_of(exemplar), trace or None, span or None)
