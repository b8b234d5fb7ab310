"""Who calls whom: the edges of the service map, found while spans arrive in any order.

A client's span tells which peer it called; the server's span, whose parent it is, tells which service that peer was.
So an edge to a peer gives way to one to a service when the other side shows up. What is remembered for that is bounded:
the two sides of a call must arrive within some ten thousand spans of each other.
"""

import sqlite3
from typing import Final, NamedTuple

from mita_otel.console.store.recent import Recent

_REMEMBERED: Final = 25_000
_MOST_CHILDREN: Final = 16
"""Of one span that is not here yet; more of them are not counted."""


class _Call(NamedTuple):
    minute: int
    party: str
    error: int


class Edges:
    """Collects what a transaction adds, and adds it to the table at `flush`."""

    __slots__ = ("_connection", "_counts", "_peers", "_services", "_waiting")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._counts: dict[tuple[int, str, str], list[int]] = {}
        self._services: Recent[str] = Recent(_REMEMBERED)
        self._peers: Recent[_Call] = Recent(_REMEMBERED)
        self._waiting: Recent[list[_Call]] = Recent(_REMEMBERED)

    def see(self, span: bytes, minute: int, service: str, peer: str | None, error: int) -> None:
        """Take in a span that may be a parent.

        Args:
            span: the ids of trace and span.
            minute: of its start.
            service: that sent it.
            peer: whom it called, if it is a client's or a producer's.
            error: 0 or 1.
        """
        self._services.put(span, service)
        waiting = self._waiting.pop(span)
        if waiting:
            for call in waiting:
                self._count(call.minute, service, call.party, 1, call.error)
        elif peer:
            self._count(minute, service, peer, 1, error)
            self._peers.put(span, _Call(minute, peer, error))

    def see_leaf(self, minute: int, service: str, peer: str, error: int) -> None:
        """Take in a client's span whose peer sends no spans, such as a database."""
        self._count(minute, service, peer, 1, error)

    def see_served(self, parent: bytes, minute: int, service: str, error: int) -> None:
        """Take in a server's or a consumer's span: `parent` are the ids of its trace and its parent."""
        caller = self._services.get(parent)
        if caller is None:
            children = self._waiting.get(parent)
            if children is None:
                self._waiting.put(parent, [_Call(minute, service, error)])
            elif len(children) < _MOST_CHILDREN:
                children.append(_Call(minute, service, error))
            return
        self._count(minute, caller, service, 1, error)
        peer = self._peers.pop(parent)
        if peer:
            self._count(peer.minute, caller, peer.party, -1, -peer.error)

    def _count(self, minute: int, caller: str, callee: str, calls: int, errors: int) -> None:
        if caller != callee:
            counts = self._counts.setdefault((minute, caller, callee), [0, 0])
            counts[0] += calls
            counts[1] += errors

    def flush(self) -> None:
        """Add to the table."""
        self._connection.executemany(
            "INSERT INTO calls VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET calls = calls + excluded.calls,"
            " errors = errors + excluded.errors",
            [(*key, *counts) for key, counts in self._counts.items() if counts != [0, 0]],
        )
        self._counts.clear()
