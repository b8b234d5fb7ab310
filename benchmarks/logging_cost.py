"""What two log lines of a request cost: ours against vanilla's handler with a JSON formatter, interleaved.

Run `python -m benchmarks.logging_cost`. Vanilla is `opentelemetry-instrumentation-logging` with the batch processor
and OTLP over HTTP, and `python-json-logger` on standard output, in an environment of its own under `data/benchmarks`
that is made at the first run; ours is this checkout, with everything that it does (masking, streams, limits). Both send
to a receiver that counts the records, and write to a pipe that counts the lines: who drops, is not fast.

Each process serves so many "requests" a second, each a current span and two lines, one with an extra. Measured are the
seconds of the thread that logs and those of the whole process; subtracted are those of the same loop without logging.
"""

import argparse
import gzip
import http.server
import json
import logging
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parent.parent
PLACE: Final = ROOT / "data" / "benchmarks" / "logging"
VANILLA: Final = (
    "opentelemetry-sdk==1.45.1",
    "opentelemetry-instrumentation-logging==0.66b1",
    "opentelemetry-exporter-otlp-proto-http==1.45.1",
    "python-json-logger==4.1.0",
)
LINES: Final = 2
BURST: Final = 20
"""Requests between two pauses, so that whoever works in the background gets on."""


def worker(variant: str, endpoint: str, requests: int) -> None:
    """Serve the requests in this process and print what they took, on standard error."""
    close = {"bare": _nothing, "vanilla": _vanilla, "ours": _ours}[variant](endpoint)
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - the environment's own

    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("benchmark")
    logger = logging.getLogger("shop.orders")
    _serve(tracer, logger, 200)
    whole, own = time.process_time(), time.thread_time()
    _serve(tracer, logger, requests)
    own = time.thread_time() - own
    close()
    whole = time.process_time() - whole
    print(json.dumps({"thread": own / requests, "process": whole / requests}), file=sys.stderr)


def _serve(tracer: Any, logger: logging.Logger, requests: int) -> None:
    for number in range(requests):
        with tracer.start_as_current_span("GET /orders/{number}"):
            logger.info("order %s was asked for by %s", number, "shop")
            logger.info("order %s priced", number, extra={"order": number, "currency": "USD"})
        if number % BURST == 0:
            time.sleep(BURST / 1000)


def _nothing(_: str) -> Callable[[], object]:
    logging.root.addHandler(logging.NullHandler())
    logging.root.setLevel(logging.INFO)
    return lambda: None


def _vanilla(endpoint: str) -> Callable[[], object]:
    from opentelemetry._logs import set_logger_provider  # noqa: PLC0415 - each variant has its own
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415
    from opentelemetry.instrumentation.logging import LoggingInstrumentor  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415
    from opentelemetry.sdk._logs import LoggerProvider  # noqa: PLC0415
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: PLC0415
    from pythonjsonlogger.json import JsonFormatter  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415

    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{endpoint}/v1/logs")))
    set_logger_provider(provider)
    os.environ["OTEL_PYTHON_LOG_CODE_ATTRIBUTES"] = "true"
    LoggingInstrumentor().instrument(inject_trace_context=True)
    handler = logging.StreamHandler(sys.stdout)
    names = "asctime levelname name message module funcName lineno pathname threadName process otelTraceID otelSpanID"
    handler.setFormatter(JsonFormatter(" ".join(f"%({name})s" for name in names.split())))
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)
    return provider.shutdown


def _ours(endpoint: str) -> Callable[[], object]:
    sys.path.insert(0, str(ROOT))
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - each variant has its own
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    from mita_otel import exporters  # noqa: PLC0415
    from mita_otel.logs import install, provider  # noqa: PLC0415
    from mita_otel.settings import Settings  # noqa: PLC0415

    settings = Settings.read(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_METRICS_EXPORTER": "none",
        }
    )
    exports, who = exporters.build(settings), Resource.create({"service.name": "shop"})
    made = provider(settings, who, MeterProvider(shutdown_on_exit=False), exports.logs)
    installed = install(logger_provider=made, resource=lambda: who, outbox=exports.log_outbox, format="json")
    [(_, close)] = exports.closed_after(installed.closing)
    return lambda: close(30)


class _Sink(http.server.BaseHTTPRequestHandler):
    """Takes OTLP and counts its records."""

    protocol_version = "HTTP/1.1"
    records = 0

    def do_POST(self) -> None:
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest  # noqa: PLC0415

        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportLogsServiceRequest.FromString(body).resource_logs:
            type(self).records += sum(len(scope.log_records) for scope in resource.scope_logs)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def counted_records() -> int:
    """Return how many records the sink has got."""
    return _Sink.records


@contextmanager
def sink() -> Iterator[str]:
    """Yield the endpoint of a receiver that counts."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _python(variant: str) -> str:
    return str(PLACE / "bin" / "python") if variant == "vanilla" else sys.executable


def _prepare() -> None:
    if (PLACE / "ready").exists():
        return
    subprocess.run(["uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(PLACE)], check=True)
    subprocess.run(
        ["uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", str(PLACE / "bin" / "python"), *VANILLA],
        check=True,
    )
    (PLACE / "ready").touch()


def _round(variant: str, endpoint: str, requests: int) -> dict[str, float]:
    _Sink.records = 0
    command = [_python(variant), __file__, "--worker", variant, "--endpoint", endpoint, "--requests", str(requests)]
    # Without the caller's OTEL_* and MITA_* variables.
    ended = subprocess.run(command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, check=True)
    measured: dict[str, float] = json.loads(ended.stderr.splitlines()[-1])
    wanted = 0 if variant == "bare" else LINES * (requests + 200)
    return {**measured, "lost lines": wanted - ended.stdout.count(b"\n"), "lost records": wanted - _Sink.records}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--worker")
    parser.add_argument("--endpoint", default="")
    given = parser.parse_args()
    if given.worker:
        worker(given.worker, given.endpoint, given.requests)
        return
    _prepare()
    variants = ["bare", "vanilla", "ours"]
    results: dict[str, list[dict[str, float]]] = {variant: [] for variant in variants}
    with sink() as endpoint:
        for number in range(given.rounds):
            for variant in variants if number % 2 == 0 else reversed(variants):
                results[variant].append(_round(variant, endpoint, given.requests))
    report(results)


def report(results: dict[str, list[dict[str, float]]]) -> None:
    """Print a table, and one JSON object as the last line."""

    def added(variant: str, what: str) -> tuple[float, float, float]:
        bare = statistics.median(one[what] for one in results["bare"])
        values = sorted((one[what] - bare) * 1e6 for one in results[variant])
        return statistics.median(values), values[0], values[-1]

    summary: dict[str, float] = {}
    print("| us a request of 2 lines, added to bare | its own thread | whole process | lost lines | lost records |")
    print("|---|---|---|---|---|")
    for variant in ("vanilla", "ours"):
        own, whole = added(variant, "thread"), added(variant, "process")
        lost = [sum(one[f"lost {what}"] for one in results[variant]) for what in ("lines", "records")]
        cells = [f"{middle:.0f} ({low:.0f} to {high:.0f})" for middle, low, high in (own, whole)]
        print(f"| {variant} | {' | '.join(cells)} | {' | '.join(f'{count:.0f}' for count in lost)} |")
        summary |= {f"{variant}_thread_us": round(own[0], 1), f"{variant}_process_us": round(whole[0], 1)}
    summary["ratio"] = round(summary["ours_process_us"] / summary["vanilla_process_us"], 3)
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
