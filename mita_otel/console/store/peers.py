"""Whom a client's span called, by its attributes."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from mita_otel.console.store.schema import DATABASE_PEER, EXTERNAL_PEER
from mita_otel.console.store.values import value_of

_LONGEST: Final = 256
_MOST_BYTES: Final = 1024
"""Of all attributes that name a peer; longer ones name nothing, and would cost memory."""

_RANKED: Final = {
    "db.system.name": DATABASE_PEER,
    "db.system": DATABASE_PEER,
    "service.peer.name": EXTERNAL_PEER,
    "peer.service": EXTERNAL_PEER,
    "messaging.destination.name": EXTERNAL_PEER,
    "server.address": EXTERNAL_PEER,
    "net.peer.name": EXTERNAL_PEER,
}
"""What names a peer, the best name first, and how such a peer begins in the table of calls."""

_RANKS: Final = {key: rank for rank, key in enumerate(_RANKED)}
# A KeyValue begins with the key: the tag of its field, its length, its letters.
_BEGINNINGS: Final = tuple(bytes([0x0A, len(key)]) + key.encode() for key in _RANKED)


def peer_of(attributes: Iterable[bytes]) -> str | None:
    """Return the callee that a client's or a producer's attributes, serialized KeyValues, name best, if any does."""
    named = tuple([attribute for attribute in attributes if attribute.startswith(_BEGINNINGS)])
    return _best_of(named) if named and len(b"".join(named)) <= _MOST_BYTES else None


@lru_cache(4096)
def _best_of(named: tuple[bytes, ...]) -> str | None:
    pairs = [KeyValue.FromString(attribute) for attribute in named]
    best = min((pair for pair in pairs if pair.key in _RANKS), key=lambda pair: _RANKS[pair.key], default=None)
    name = str(value_of(best.value))[:_LONGEST] if best else ""
    return f"{_RANKED[best.key]}{name}" if best and name else None
