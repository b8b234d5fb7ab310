"""What OTLP's AnyValue holds, as Python values."""

from collections.abc import Iterable
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue


def value_of(value: AnyValue) -> Any:
    """Return None, bool, int, float, str, bytes, a list, or a dict with str keys; of keys used twice the last counts.

    A message that was parsed is nested 100 deep at most, so that this ends.
    """
    match value.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return [value_of(inner) for inner in value.array_value.values]
        case "kvlist_value":
            return attributes_of(value.kvlist_value.values)
        case kind:
            return getattr(value, kind)


def attributes_of(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Return attributes by key; of keys used twice the last counts."""
    return {pair.key: value_of(pair.value) for pair in pairs}
