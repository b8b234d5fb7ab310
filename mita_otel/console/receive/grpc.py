"""OTLP over gRPC: the three Export calls, on the event loop of all else."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc  # type: ignore[import-untyped] # grpcio ships no types
from google.protobuf.any_pb2 import Any as AnyMessage  # type: ignore[import-untyped] # no types are shipped
from google.protobuf.duration_pb2 import Duration  # type: ignore[import-untyped] # no types are shipped
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped] # no types are shipped
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped] # no types are shipped

from mita_otel.console.receive.answers import GRPC_CODES, success_of
from mita_otel.console.receive.body import LIMIT, Budget
from mita_otel.console.receive.intake import Intake
from mita_otel.console.receive.transaction import OK, UNAVAILABLE, Answer, Asked
from mita_otel.console.store.writing import Signal

_SERVICES: Final = {
    Signal.TRACES: "opentelemetry.proto.collector.trace.v1.TraceService",
    Signal.METRICS: "opentelemetry.proto.collector.metrics.v1.MetricsService",
    Signal.LOGS: "opentelemetry.proto.collector.logs.v1.LogsService",
}
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_OPTIONS: Final = [
    ("grpc.so_reuseport", 0),  # a port that somebody else has taken is an error
    ("grpc.max_receive_message_length", LIMIT),  # holds while gzip is unpacked, too
    ("grpc.max_concurrent_streams", 64),
]


async def started(address: str, intake: Intake, budget: Budget, is_allowed: Callable[[str], bool]) -> tuple[Any, int]:
    """Start a server, and return it and its port.

    Args:
        address: host and port; port 0 stands for any that is free.
        intake: where requests go.
        budget: bytes of requests that may wait.
        is_allowed: tells whether the value of the `authorization` header, or "" without one, lets a call in.

    Raises:
        OSError: the address cannot be listened on.
    """
    server = grpc.aio.server(options=_OPTIONS)
    for signal, service in _SERVICES.items():
        method = grpc.unary_unary_rpc_method_handler(_export(signal, intake, budget, is_allowed))
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Export": method}),))
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(str(error)) from error
    await server.start()
    return server, port


def _export(
    signal: Signal, intake: Intake, budget: Budget, is_allowed: Callable[[str], bool]
) -> Callable[[bytes, Any], Awaitable[bytes]]:
    async def export(body: bytes, context: Any) -> bytes:
        if not is_allowed(_authorization(context)):
            await _refuse(context, Answer(401, "send the console's token as `authorization: Bearer <token>`"))
        if not budget.take(len(body)):
            await _refuse(context, Answer(UNAVAILABLE, "too much is waiting to be stored"))
        try:
            answer = await intake.take(Asked(signal, body))
        finally:
            budget.give(len(body))
        if answer.status != OK:
            await _refuse(context, answer)
        return success_of(answer, signal)

    return export


def _authorization(context: Any) -> str:
    return next((str(pair[1]) for pair in context.invocation_metadata() or () if pair[0] == "authorization"), "")


async def _refuse(context: Any, answer: Answer) -> None:
    """End the call; one that may be sent again says when.

    Source: OTLP specification, OTLP/gRPC throttling.
    """
    code = GRPC_CODES[answer.status]
    status = Status(code=code, message=answer.message)
    if answer.status == UNAVAILABLE:
        detail = AnyMessage()
        detail.Pack(RetryInfo(retry_delay=Duration(seconds=1)))
        status.details.append(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    await context.abort(_CODES[code], answer.message)
