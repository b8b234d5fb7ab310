"""Services by what they serve: rates, errors, latencies, and who calls whom."""

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from mita_otel.console.reading.clauses import KINDS
from mita_otel.console.reading.quantiles import duration_quantile
from mita_otel.console.store.durations import unpack_sums
from mita_otel.console.store.schema import DATABASE_PEER, EXTERNAL_PEER

MINUTE: Final = 60_000_000
_SERVING: Final = frozenset({Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CONSUMER})
_INNER: Final = frozenset({Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_UNSPECIFIED})
ROUTES_LIMIT: Final = 500
EDGES_LIMIT: Final = 500
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

    @classmethod
    def read(cls, calls: int, errors: int, packed: str) -> "Calls":
        """Return the calls of some rows: sums, and the hexadecimal buckets of all of them one after the other."""
        return cls(calls, errors, unpack_sums(bytes.fromhex(packed)))

    def add(self, other: "Calls") -> None:
        """Add others."""
        self.calls += other.calls
        self.errors += other.errors
        for bucket, count in other.durations.items():
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


_SUMS: Final = "sum(m.calls), sum(m.errors), group_concat(hex(m.buckets), '')"
"""What `Calls.read` reads: adding up in SQL what there is of an operation in each minute is several times faster."""


def services_of(connection: sqlite3.Connection, window: Window) -> dict[str, Calls]:
    """Return the calls that each service served, by name.

    They are its SERVER and CONSUMER spans; of a service without such, its inner ones; without these, all.
    """
    rows = connection.execute(
        f"SELECT o.service, o.kind, {_SUMS} FROM minutes m JOIN operations o ON o.id = m.operation"  # noqa: S608 - a constant
        " WHERE m.minute BETWEEN ? AND ? GROUP BY o.service, o.kind ORDER BY o.service",
        (window.first, window.last),
    )
    by_kind: dict[str, dict[int, Calls]] = {}
    for service, kind, *sums in rows:
        by_kind.setdefault(service, {})[kind] = Calls.read(*sums)
    return {service: _joined(kinds[kind] for kind in served_kinds(kinds)) for service, kinds in by_kind.items()}


def served_kinds(kinds: Iterable[int]) -> frozenset[int]:
    """Return the span kinds, of those that a service has, that are calls which it served."""
    own = frozenset(kinds)
    return own & _SERVING or own & _INNER or own


def _joined(some: Iterable[Calls]) -> Calls:
    joined = Calls()
    for calls in some:
        joined.add(calls)
    return joined


def routes_of(connection: sqlite3.Connection, service: str, window: Window) -> tuple[list[Route], int]:
    """Return a service's operations, the busiest first, and how many beyond the limit are left out."""
    rows = connection.execute(
        f"SELECT count(*) OVER (), o.name, o.kind, {_SUMS} FROM operations o CROSS JOIN minutes m ON m.operation = o.id"  # noqa: S608 - a constant
        " WHERE o.service = ? AND m.minute BETWEEN ? AND ? GROUP BY o.id ORDER BY 4 DESC, o.name LIMIT ?",
        (service, window.first, window.last, ROUTES_LIMIT),
    ).fetchall()
    routes = [Route(name, KINDS[kind], Calls.read(*sums)) for _, name, kind, *sums in rows]
    return routes, rows[0][0] - len(routes) if rows else 0


def timeline_of(connection: sqlite3.Connection, service: str, window: Window) -> dict[int, Calls]:
    """Return the calls that a service served, by minute."""
    rows = connection.execute(
        f"SELECT m.minute, o.kind, {_SUMS} FROM operations o CROSS JOIN minutes m ON m.operation = o.id"  # noqa: S608 - a constant
        " WHERE o.service = ? AND m.minute BETWEEN ? AND ? GROUP BY m.minute, o.kind ORDER BY m.minute",
        (service, window.first, window.last),
    )
    read = [(minute, kind, Calls.read(*sums)) for minute, kind, *sums in rows]
    served = served_kinds(kind for _, kind, _ in read)
    timeline: dict[int, Calls] = {}
    for minute, kind, calls in read:
        if kind in served:
            timeline.setdefault(minute, Calls()).add(calls)
    return timeline


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
    """Who calls whom; `left_out` counts the edges beyond the limit."""

    nodes: list[Node]
    edges: list[Edge]
    left_out: int


def map_of(connection: sqlite3.Connection, window: Window) -> ServiceMap:
    """Return who called whom.

    A service's calls are those it served, see `services_of`, a peer's those that were made to it.
    """
    raw, left_out = edges_of(connection, window)
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
    edges = [Edge(edge.caller, names.get(edge.callee, edge.callee), edge.calls, edge.errors) for edge in raw]
    return ServiceMap(nodes, edges, left_out)


def edges_of(connection: sqlite3.Connection, window: Window) -> tuple[list[Edge], int]:
    """Return the calls between services, and to peers as the store names them; as `routes_of` its routes."""
    rows = connection.execute(
        "SELECT count(*) OVER (), caller, callee, sum(calls) AS total, max(sum(errors), 0) FROM calls"
        " WHERE minute BETWEEN ? AND ?"
        " GROUP BY caller, callee HAVING total > 0 ORDER BY 4 DESC, caller, callee LIMIT ?",
        (window.first, window.last, EDGES_LIMIT),
    ).fetchall()
    return [Edge(*row[1:]) for row in rows], rows[0][0] - len(rows) if rows else 0


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
