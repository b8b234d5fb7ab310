"""Views of OTLP messages that leave inner messages as bytes.

Reading a request this way is cheaper than with the full types, stores each item as it came, and lets one malformed item
be refused without its neighbours: the inner messages are parsed, and so checked, when somebody looks at them. The field
numbers are those of opentelemetry-proto 1.x, which never change.
"""

from typing import Any, Final

from google.protobuf import (  # type: ignore[import-untyped] # no types are shipped
    descriptor_pb2,
    descriptor_pool,
    message_factory,
)

_Field = descriptor_pb2.FieldDescriptorProto
_BYTES: Final = _Field.TYPE_BYTES
_STRING: Final = _Field.TYPE_STRING
_INT32: Final = _Field.TYPE_INT32
_FIXED64: Final = _Field.TYPE_FIXED64
_PACKAGE: Final = "mita_otel.console"

_MESSAGES: Final[dict[str, dict[str, tuple[int, Any, bool]]]] = {
    # Requests of all three signals have one shape: resource_spans, resource_metrics and resource_logs are `groups`.
    "Scoped": {"scope": (1, _BYTES, False), "items": (2, _BYTES, True)},
    "Group": {"resource": (1, _BYTES, False), "scoped": (2, "Scoped", True)},
    "Request": {"groups": (1, "Group", True)},
    "Resource": {"attributes": (1, _BYTES, True)},
    "Span": {
        "trace_id": (1, _BYTES, False),
        "span_id": (2, _BYTES, False),
        "trace_state": (3, _STRING, False),
        "parent_span_id": (4, _BYTES, False),
        "name": (5, _STRING, False),
        "kind": (6, _INT32, False),
        "start": (7, _FIXED64, False),
        "end": (8, _FIXED64, False),
        "attributes": (9, _BYTES, True),
        "events": (11, _BYTES, True),
        "links": (13, _BYTES, True),
        "status": (15, _BYTES, False),
    },
    "LogRecord": {
        "time": (1, _FIXED64, False),
        "severity": (2, _INT32, False),
        "severity_text": (3, _STRING, False),
        "body": (5, _BYTES, False),
        "attributes": (6, _BYTES, True),
        "trace_id": (9, _BYTES, False),
        "span_id": (10, _BYTES, False),
        "observed": (11, _FIXED64, False),
        "event_name": (12, _STRING, False),
    },
    # Both are packed: numbers of 64 bits one after the other.
    "HistogramDataPoint": {"bucket_counts": (6, _BYTES, False), "explicit_bounds": (7, _BYTES, False)},
}


def _described() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="mita_otel/console.proto", package=_PACKAGE, syntax="proto3")
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for name, (number, kind, repeated) in fields.items():
            field = message.field.add(name=name, number=number)
            field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            if isinstance(kind, str):
                field.type, field.type_name = _Field.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = kind
    return file


_POOL: Final = descriptor_pool.DescriptorPool()
_POOL.Add(_described())


def _type(name: str) -> Any:
    return message_factory.GetMessageClass(_POOL.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


Request: Final = _type("Request")
Resource: Final = _type("Resource")
Span: Final = _type("Span")
LogRecord: Final = _type("LogRecord")
HistogramDataPoint: Final = _type("HistogramDataPoint")
