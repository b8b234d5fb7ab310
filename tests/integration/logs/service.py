"""A FastAPI service with the logs room installed; what it exported is written to a file when it ends."""

import argparse
import contextlib
import json
import logging
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from mita_otel.logs import install
from mita_otel.settings import Settings
from mita_otel.traces.request import RequestSpanProcessor
from mita_otel.web.server import Receive, Scope, Send, ServerLayer
from mita_otel.web.serving import inside

RESOURCE = Resource({"service.name": "shop", "service.instance.id": "one"})
exporter = InMemoryLogRecordExporter()  # type: ignore[no-untyped-call] # the SDK does not type it
logger_provider = LoggerProvider(resource=RESOURCE, shutdown_on_exit=False)
logger_provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
tracer_provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
tracer_provider.add_span_processor(RequestSpanProcessor())
installed = install(
    logger_provider=logger_provider,
    resource=lambda: RESOURCE,
    format="json",
)
app = FastAPI(
    telemetry={
        "tracer_provider": tracer_provider,
        "meter_provider": MeterProvider(shutdown_on_exit=False),
        "logs": False,
        "operation_spans": False,
        "auto_configure": False,
    }
)
serve = inside(ServerLayer(Settings.read({}), MeterProvider(shutdown_on_exit=False)), FastAPI.__call__)


async def served(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the application inside the outermost layer."""
    await serve(app, scope, receive, send)


@app.get("/orders/{number}")
async def order(number: int) -> dict[str, str]:
    logging.getLogger("shop.orders").info("order %s", number, extra={"order": number})
    return {"trace": format(trace.get_current_span().get_span_context().trace_id, "032x")}


@app.get("/fail")
async def fail() -> None:
    raise RuntimeError("no stock")


def dump(path: Path) -> None:
    """Write what went over OTLP."""
    installed.flush()
    path.write_text(json.dumps([json.loads(item.to_json()) for item in exporter.get_finished_logs()]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--http", default="auto")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--dump", type=Path, required=True)
    parser.add_argument("--log-level", default=None)
    parser.add_argument("--no-access-log", action="store_true")
    given = parser.parse_args()
    config = uvicorn.Config(
        served,
        host="127.0.0.1",
        port=given.port,
        http=given.http,
        log_level=given.log_level,
        access_log=not given.no_access_log,
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()
    dump(given.dump)


if __name__ == "__main__":
    main()
