"""Services by what they serve: rates, errors, latencies, and who calls whom."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mita_otel.console.reading.clauses import KINDS
from mita_otel.console.reading.quantiles import duration_quantile
from mita_otel.console.store.durations import unpack
from mita_otel.console.store.schema import DATABASE_PEER, EXTERNAL_PEER

MINUTE: Final = 60_000_000
_SERVING: Final = frozenset({Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CONSUMER})
_INNER: Final = frozenset({Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_UNSPECIFIED})
_PEERS: Final = {DATABASE_PEER: "database", EXTERNAL_PEER: "external"}


@dataclass(frozen=True, slots=True)
class Window:
    """Whole minutes, the first and the last included; a minute is its start in microseconds through a minute's.

    Attributes:
        first: the earliest minute.
        last: the latest.
        seconds: how much of that time has gone by.
    """

    first: int
    last: int
    seconds: float

    @classmethod
    def until(cls, now: int, length: int) -> "Window":
        """Return the minutes in which the last `length` microseconds lie."""
        first = (now - length) // MINUTE
        return cls(first, now // MINUTE, (now - first * MINUTE) / 1e6)


@dataclass(slots=True)
class Calls:
    """Calls: how many, how many failed, how long they took (counts by bucket of duration)."""

    calls: int = 0
    errors: int = 0
    durations: dict[int, int] = field(default_factory=dict)

    def add(self, calls: int, errors: int, durations: dict[int, int]) -> None:
        """Add some."""
        self.calls += calls
        self.errors += errors
        for bucket, count in durations.items():
            self.durations[bucket] = self.durations.get(bucket, 0) + count

    def quantile(self, share: float) -> float | None:
        """Return a quantile of the durations in microseconds, None without calls."""
        return duration_quantile(share, self.durations)


@dataclass(frozen=True, slots=True)
class Route:
    """An operation of a service, with its span kind."""

    operation: str
    kind: str
    calls: Calls


def service_names(connection: sqlite3.Connection) -> list[str]:
    """Return the services of which spans are stored, sorted."""
    rows = connection.execute(
        "SELECT DISTINCT service FROM operations o"
        " WHERE EXISTS (SELECT 1 FROM span_block_operations b WHERE b.operation = o.id)"
    )
    return sorted(name for (name,) in rows)


def operations_of(connection: sqlite3.Connection, service: str) -> list[tuple[str, str]]:
    """Return names and span kinds of a service's operations of which spans are stored, sorted."""
    rows = connection.execute(
        "SELECT name, kind FROM operations o WHERE service = ?"
        " AND EXISTS (SELECT 1 FROM span_block_operations b WHERE b.operation = o.id)",
        (service,),
    )
    return sorted((name, KINDS[kind]) for name, kind in rows)


def services_of(connection: sqlite3.Connection, window: Window) -> dict[str, Calls]:
    """Return the calls that each service served, by name.

    They are its SERVER and CONSUMER spans; of a service without such, its inner ones; without these, all.
    """
    by_kind: dict[str, dict[int, Calls]] = {}
    for service, kind, calls, errors, durations in _rows(connection, window):
        by_kind.setdefault(service, {}).setdefault(kind, Calls()).add(calls, errors, durations)
    return {service: _joined(kinds, served_kinds(kinds)) for service, kinds in sorted(by_kind.items())}


def served_kinds(kinds: Iterable[int]) -> frozenset[int]:
    """Return the span kinds, of those that a service has, that are calls which it served."""
    own = frozenset(kinds)
    return own & _SERVING or own & _INNER or own


def _joined(kinds: dict[int, Calls], chosen: Iterable[int]) -> Calls:
    joined = Calls()
    for kind in chosen:
        joined.add(kinds[kind].calls, kinds[kind].errors, kinds[kind].durations)
    return joined


def _rows(connection: sqlite3.Connection, window: Window) -> Iterator[tuple[str, int, int, int, dict[int, int]]]:
    rows = connection.execute(
        "SELECT o.service, o.kind, m.calls, m.errors, m.buckets FROM minutes m JOIN operations o ON o.id = m.operation"
        " WHERE m.minute BETWEEN ? AND ?",
        (window.first, window.last),
    )
    return ((*row, unpack(buckets)) for *row, buckets in rows)


def routes_of(connection: sqlite3.Connection, service: str, window: Window) -> tuple[list[Route], dict[int, Calls]]:
    """Return a service's operations, the busiest first, and the calls that it served by minute."""
    routes: dict[tuple[str, int], Calls] = {}
    by_minute: dict[tuple[int, int], Calls] = {}
    rows = connection.execute(
        "SELECT m.minute, o.name, o.kind, m.calls, m.errors, m.buckets FROM operations o"
        " CROSS JOIN minutes m ON m.operation = o.id WHERE o.service = ? AND m.minute BETWEEN ? AND ?",
        (service, window.first, window.last),
    )
    for minute, name, kind, calls, errors, packed in rows:
        durations = unpack(packed)
        routes.setdefault((name, kind), Calls()).add(calls, errors, durations)
        by_minute.setdefault((minute, kind), Calls()).add(calls, errors, durations)
    served = served_kinds(kind for _, kind in routes)
    timeline: dict[int, Calls] = {}
    for (minute, kind), calls_ in sorted(by_minute.items()):
        if kind in served:
            timeline.setdefault(minute, Calls()).add(calls_.calls, calls_.errors, calls_.durations)
    ordered = sorted(routes.items(), key=lambda item: (-item[1].calls, item[0]))
    return [Route(name, KINDS[kind], calls_) for (name, kind), calls_ in ordered], timeline


@dataclass(frozen=True, slots=True)
class Node:
    """Somebody who calls or is called: a service, a database, or an external peer that sent no spans."""

    name: str
    kind: str
    calls: int
    errors: int


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls from one node to another, by their names."""

    caller: str
    callee: str
    calls: int
    errors: int


@dataclass(frozen=True, slots=True)
class ServiceMap:
    """Who calls whom."""

    nodes: list[Node]
    edges: list[Edge]


def map_of(connection: sqlite3.Connection, window: Window) -> ServiceMap:
    """Return who called whom.

    A service's calls are those it served, see `services_of`, a peer's those that were made to it.
    """
    raw = edges_of(connection, window)
    served = services_of(connection, window)
    peers = {edge.callee: kind for edge in raw if (kind := _peer_kind(edge.callee))}
    services = set(served) | {name for edge in raw for name in (edge.caller, edge.callee)} - set(peers)
    names = _shown_names(peers, services)
    nodes = []
    for service in sorted(services):
        own = served.get(service, Calls())
        nodes.append(Node(service, "service", own.calls, own.errors))
    for peer, kind in sorted(peers.items()):
        towards = [edge for edge in raw if edge.callee == peer]
        nodes.append(Node(names[peer], kind, sum(edge.calls for edge in towards), sum(edge.errors for edge in towards)))
    return ServiceMap(
        nodes, [Edge(edge.caller, names.get(edge.callee, edge.callee), edge.calls, edge.errors) for edge in raw]
    )


def edges_of(connection: sqlite3.Connection, window: Window) -> list[Edge]:
    """Return the calls between services, and to peers as the store names them, the busiest first."""
    rows = connection.execute(
        "SELECT caller, callee, sum(calls) AS total, max(sum(errors), 0) FROM calls WHERE minute BETWEEN ? AND ?"
        " GROUP BY caller, callee HAVING total > 0 ORDER BY total DESC, caller, callee",
        (window.first, window.last),
    )
    return [Edge(*row) for row in rows]


def is_peer(callee: str) -> bool:
    """Return whether a callee, as the store names it, is a database or an external peer."""
    return _peer_kind(callee) is not None


def _peer_kind(callee: str) -> str | None:
    return next((kind for prefix, kind in _PEERS.items() if callee.startswith(prefix)), None)


def _shown_names(peers: Iterable[str], services: Iterable[str]) -> dict[str, str]:
    """Return the names of peers without the store's prefixes, except where that would be the name of two."""
    bare = {peer: peer.split(":", 1)[1] for peer in peers}
    taken = Counter([*bare.values(), *services])
    return {peer: name if taken[name] == 1 else peer for peer, name in bare.items()}
