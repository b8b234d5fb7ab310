"""What is traced, measured or sent twice."""

from collections.abc import Iterator
from typing import Final

from mita_otel.doctor.facts.model import Facts, Process
from mita_otel.doctor.model import Judgement, error, ok, warning

_SERVERS: Final = frozenset({"asgi", "starlette", "fastapi"})
_DRIVERS: Final = frozenset(
    {"aiopg", "dbapi", "mysql", "mysqlclient", "psycopg", "psycopg2", "pymssql", "pymysql", "sqlite3"}
)
"""Contrib's instrumentations of what SQLAlchemy works through."""


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name everything that does what is done already."""
    process = facts.process
    if process is None or not process.ours:
        return
    found = [*_contrib(process), *_by_hand(process), *_exports(process), *_agents(process)]
    yield from found
    if not found:
        shown = "" if process.application else "; --app shows what the application adds"
        yield ok(f"every library has one instrumentation, and every signal one exporter{shown}")


def _contrib(process: Process) -> Iterator[Judgement]:
    ours = {library.name for library in process.libraries if library.path}
    for name in (instrumentor.name for instrumentor in process.instrumentors if instrumentor.active):
        if name in ours or (name in _SERVERS and "fastapi" in ours):
            yield error(
                f"{name} is instrumented twice: by mita_otel, and by contrib's instrumentor that the application calls",
                f"remove the call of opentelemetry.instrumentation.{name} from the application",
            )
        elif name in _DRIVERS and "sqlalchemy" in ours:
            yield warning(
                f"{name} is instrumented beside SQLAlchemy: statements sent through both have two spans",
                f"remove the call of opentelemetry.instrumentation.{name} from the application, or add {name} to "
                "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
            )
        elif name in {"logging", "system_metrics"}:
            yield warning(
                f"contrib's instrumentation of {name} does what mita_otel does",
                f"remove the call of opentelemetry.instrumentation.{name} from the application",
            )


def _by_hand(process: Process) -> Iterator[Judgement]:
    fastapi = next((library for library in process.libraries if library.name == "fastapi"), None)
    if process.application is None or fastapi is None or not fastapi.path:
        return
    for call in process.application.by_hand:
        yield error(
            f"{process.application.name} instruments FastAPI a second time, by hand: {call}",
            f"remove {call} from the application: mita_otel does it",
        )


def _exports(process: Process) -> Iterator[Judgement]:
    for exporter in process.second_exporters:
        yield error(
            f"a second OTLP exporter hangs on the provider, and everything is sent twice ({exporter})",
            "remove it from the application (add_span_processor, add_metric_reader, add_log_record_processor): where "
            "OTEL_EXPORTER_OTLP_ENDPOINT leads, mita_otel sends it",
        )
    for handler in process.log_handlers:
        yield error(
            f"log records are exported twice: by mita_otel, and by {handler}",
            "remove the LoggingHandler from the application",
        )


def _agents(process: Process) -> Iterator[Judgement]:
    for agent in process.agents:
        yield warning(
            f"{agent} is loaded as well and may trace the same requests",
            f"remove {agent}, or switch its tracing off",
        )
