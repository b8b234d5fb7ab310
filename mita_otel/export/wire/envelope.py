"""Whose a record is, and how records are nested into a payload.

A span lies in a `ScopeSpans`, that in a `ResourceSpans`, that in the request; a log record in messages of other names
but of the same numbers. Source: opentelemetry/proto/trace/v1/trace.proto, logs/v1/logs.proto.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from mita_otel.export.wire.numbers import varint
from mita_otel.export.wire.values import attributes, framed, text

RECORD: Final = b"\x12"
"""The tag of a span in its `ScopeSpans`, and of a log record in its `ScopeLogs`."""

_FIRST: Final = b"\x0a"
_SCOPE_RECORDS: Final = b"\x12"
_SCHEMA_URL: Final = b"\x1a"


class Envelope(NamedTuple):
    """What the records of one resource and one instrumentation scope share, encoded.

    Attributes:
        resource: the fields of a `ResourceSpans` or `ResourceLogs` but for the records.
        scope: the fields of a `ScopeSpans` or `ScopeLogs` but for the records.
    """

    resource: bytes
    scope: bytes


Piece: TypeAlias = tuple[Envelope, bytes]
"""A record: whose it is, and the record itself as a field, with tag and length."""


def envelope(resource: Resource, scope: InstrumentationScope | None) -> Envelope:
    """Encode a resource and a scope; attributes that OTLP has no form for are counted as dropped."""
    fields, lost = attributes(_FIRST, (resource.attributes or {}).items())
    content = b"".join(fields) + (b"\x10" + varint(lost) if lost else b"")
    return Envelope(_FIRST + framed(content) + _schema(resource.schema_url), _scope(scope))


class Envelopes:
    """The envelopes of the resources and scopes seen, by their identity: comparing resources is slow.

    Args:
        limit: most that are remembered; a process has one resource, and a scope for each library.
    """

    __slots__ = ("_known", "_limit")

    def __init__(self, limit: int = 1024) -> None:
        self._limit = limit
        # What an identity stands for is kept, or else another object could get the same one.
        self._known: dict[tuple[int, int], tuple[Envelope, Resource, InstrumentationScope | None]] = {}

    def of(self, resource: Resource, scope: InstrumentationScope | None) -> Envelope:
        """Return the envelope of a resource and a scope."""
        identity = (id(resource), id(scope))
        known = self._known.get(identity)
        if known is None:
            if len(self._known) >= self._limit:
                self._known.clear()
            known = self._known[identity] = (envelope(resource, scope), resource, scope)
        return known[0]


def join(pieces: Iterable[Piece]) -> bytes:
    """Return the export request that holds the pieces, in their order, each below its resource and its scope."""
    grouped: dict[bytes, dict[bytes, list[bytes]]] = {}
    for (resource, scope), record in pieces:
        scopes = grouped.get(resource)
        if scopes is None:
            scopes = grouped[resource] = {}
        records = scopes.get(scope)
        if records is None:
            # The scope's own fields come first: one joining writes both.
            records = scopes[scope] = [scope]
        records.append(record)
    return b"".join(_FIRST + framed(_of_resource(resource, scopes)) for resource, scopes in grouped.items())


def _of_resource(resource: bytes, scopes: dict[bytes, list[bytes]]) -> bytes:
    fields = [resource]
    for records in scopes.values():
        content = b"".join(records)
        fields += (_SCOPE_RECORDS, varint(len(content)), content)
    return b"".join(fields)


def _scope(scope: InstrumentationScope | None) -> bytes:
    if scope is None:
        return _FIRST + b"\x00"
    fields, lost = attributes(b"\x1a", (scope.attributes or {}).items())
    name = _FIRST + text(scope.name) if scope.name else b""
    version = b"\x12" + text(scope.version) if scope.version else b""
    content = name + version + b"".join(fields) + (b"\x20" + varint(lost) if lost else b"")
    return _FIRST + framed(content) + _schema(scope.schema_url)


def _schema(url: str | None) -> bytes:
    return _SCHEMA_URL + text(url) if url else b""
