"""The ids of what many rows share: resources, scopes and operations."""

import sqlite3
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from mita_otel.console.store.schema import OTHER_OPERATION
from mita_otel.console.store.values import value_of

UNKNOWN_SERVICE: Final = "unknown_service"
OPERATIONS_LIMIT: Final = 10_000
_OTHERS_LIMIT: Final = 1_000
"""Services that get an operation `(other)` of their own; beyond, one is shared by all."""
_MEMO_LIMIT: Final = 20_000
_LONGEST_NAME: Final = 1024


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent an item: ids of the resource and the scope, the service's name, and the serialized resource."""

    resource: int
    scope: int
    service: str
    body: bytes


class Names:
    """Finds ids, or gives new ones within the transaction of the connection; remembers a bounded number of them."""

    __slots__ = ("_connection", "_operation_count", "_operations", "_origins")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._origins: dict[tuple[bytes, bytes], Origin] = {}
        self._operations: dict[tuple[str, str, int], int] = {}
        self._operation_count = 0
        self.forget()

    def forget(self) -> None:
        """Look up all names anew, after some were deleted."""
        self._origins.clear()
        self._operations.clear()
        (self._operation_count,) = self._connection.execute("SELECT count(*) FROM operations").fetchone()

    def origin(self, resource: bytes, scope: bytes) -> Origin:
        """Return the origin of items.

        Args:
            resource: a serialized Resource.
            scope: a serialized InstrumentationScope.

        Raises:
            DecodeError: one of them is malformed.
        """
        found = self._origins.get((resource, scope))
        if found is None:
            if len(self._origins) >= _MEMO_LIMIT:
                self._origins.clear()
            found = self._origins[resource, scope] = self._store_origin(resource, scope)
        return found

    def _store_origin(self, resource: bytes, scope: bytes) -> Origin:
        service = service_of(Resource.FromString(resource))
        scope_name = InstrumentationScope.FromString(scope).name
        return Origin(
            self._id_of("resources", "service", resource, service),
            self._id_of("scopes", "name", scope, scope_name),
            service,
            resource,
        )

    def _id_of(self, table: str, column: str, body: bytes, name: str) -> int:
        digest = blake2b(body, digest_size=16).digest()
        find = f"SELECT id FROM {table} WHERE digest = ?"  # noqa: S608 - our own names only
        found = self._connection.execute(find, (digest,)).fetchone()
        if found:
            return int(found[0])
        add = f"INSERT INTO {table}(digest, {column}, body) VALUES (?, ?, ?)"  # noqa: S608 - as above
        return int(self._connection.execute(add, (digest, name, body)).lastrowid or 0)

    def operation(self, key: tuple[str, str, int]) -> int:
        """Return the id of an operation: service, name and span kind."""
        found = self._operations.get(key)
        if found is None:
            if len(self._operations) >= _MEMO_LIMIT:
                self._operations.clear()
            found = self._operations[key] = self._store_operation(key)
        return found

    def _store_operation(self, key: tuple[str, str, int]) -> int:
        service, name, kind = key
        stored = (service, name[:_LONGEST_NAME], kind)
        found = self._find_operation(stored)
        if found is None and self._operation_count >= OPERATIONS_LIMIT:
            is_many = self._operation_count >= OPERATIONS_LIMIT + _OTHERS_LIMIT
            stored = (OTHER_OPERATION, OTHER_OPERATION, 0) if is_many else (service, OTHER_OPERATION, 0)
            found = self._find_operation(stored)
        if found is None:
            self._operation_count += 1
            statement = "INSERT INTO operations(service, name, kind) VALUES (?, ?, ?)"
            found = int(self._connection.execute(statement, stored).lastrowid or 0)
        return found

    def _find_operation(self, key: tuple[str, str, int]) -> int | None:
        statement = "SELECT id FROM operations WHERE service = ? AND name = ? AND kind = ?"
        found = self._connection.execute(statement, key).fetchone()
        return int(found[0]) if found else None


def service_of(resource: Resource) -> str:
    """Return the name of the service that a resource describes."""
    for pair in resource.attributes:
        if pair.key == "service.name":
            return str(value_of(pair.value))[:_LONGEST_NAME] or UNKNOWN_SERVICE
    return UNKNOWN_SERVICE
