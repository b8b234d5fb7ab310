"""FastAPI's own telemetry: whether it is what traces requests, and what else it has been told to do."""

from collections.abc import Iterator

from mita_otel.doctor.facts.model import Application, Facts
from mita_otel.doctor.model import Judgement, error, ok, warning

_VARIABLE = "FASTAPI_OTEL_AUTO_CONFIGURE"
_PATHS = {
    "ours": "our own path",
    "native": "FastAPI's native telemetry",
    "contrib": "contrib's instrumentation",
}


def judge(facts: Facts) -> Iterator[Judgement]:
    """Say which path serves requests, and name what stands against it."""
    if facts.variables.get(_VARIABLE, "").strip().lower() == "true":
        yield warning(
            f"{_VARIABLE}=true asks FastAPI for a second exporter; mita_otel keeps it from that, other processes obey",
            f"remove {_VARIABLE}",
        )
    process = facts.process
    if process is None or not process.ours or process.fastapi_native is None:
        return
    application = process.application
    troubles = list(_troubles(application)) if application and application.kind == "FastAPI" else []
    yield from troubles
    if troubles:
        return
    taken = next((library.path for library in process.libraries if library.name == "fastapi"), "")
    path = _PATHS[taken or "ours"] if process.fastapi_native else f"{_PATHS['contrib']}, for it is older than 0.142"
    named = f" of {application.name}" if application and application.kind == "FastAPI" else ""
    yield ok(f"requests{named} are traced by {path}")


def _troubles(application: Application) -> Iterator[Judgement]:
    native = application.native or {}
    for name, effect in (("tracing", "requests have no spans"), ("metrics", "requests are not measured")):
        if native.get(name) is False:
            yield error(
                f"{application.name} switches native telemetry off ({name}): {effect}",
                f"take '{name}' out of FastAPI(telemetry={{...}})",
            )
    if native.get("auto_configure"):
        yield error(
            f"{application.name} asks for a second exporter: everything is sent twice",
            "take 'auto_configure' out of FastAPI(telemetry={...})",
        )
    if native.get("operation_spans"):
        yield warning(
            f"{application.name} asks for operation spans: four more spans a request",
            "take 'operation_spans' out of FastAPI(telemetry={...}), unless someone looks at them",
        )
