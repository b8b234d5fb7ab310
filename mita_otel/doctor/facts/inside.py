"""What a process under the distribution looks like from within.

Run as `python -m mita_otel.doctor.facts.inside FILE [APPLICATION]` under the launcher, it writes what it finds to FILE
as JSON; a running service calls `describe`.
"""

import logging
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from opentelemetry import _logs, metrics, propagate, trace
from opentelemetry.instrumentation.dependencies import get_dist_dependency_conflicts
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined] # has no types

from mita_otel import bootstrap
from mita_otel.doctor.facts.applications import describe as describe_application
from mita_otel.doctor.facts.applications import load
from mita_otel.doctor.facts.model import Instrumentor, Library, Process
from mita_otel.doctor.facts.packages import installed
from mita_otel.libraries import INSTRUMENTORS
from mita_otel.metrics.bound import obstacles
from mita_otel.redaction import redact_value
from mita_otel.traces.provider import Provider
from mita_otel.traces.sampling import bounds_of

AGENTS: Final = ("ddtrace", "elasticapm", "logfire", "newrelic")
"""Packages that trace the same requests on their own."""


def describe(application: object = None, name: str = "") -> Process:
    """Describe this process, and the application if there is one."""
    running = bootstrap.running()
    tracers, meters, loggers = trace.get_tracer_provider(), metrics.get_meter_provider(), _logs.get_logger_provider()
    resource: Mapping[str, Any] = getattr(getattr(tracers, "resource", None), "attributes", {})
    sampler = getattr(tracers, "sampler", None)
    return Process(
        ours=running is not None and running.tracer_provider is tracers,
        providers={"traces": _type(tracers), "metrics": _type(meters), "logs": _type(loggers)},
        sampler="" if sampler is None else str(sampler.get_description()),
        sampler_asked=isinstance(tracers, Provider) and bounds_of(tracers.sampler) is None,
        spans="ours" if isinstance(tracers, Provider) else "sdk" if running is not None else "",
        span_copies=tuple(tracers.processors.copying()) if isinstance(tracers, Provider) else (),
        slow_metrics=tuple(obstacles(meters)),
        logs="" if running is None else running.logs.path,
        propagated=tuple(sorted(propagate.get_global_textmap().fields)),
        resource={key: str(redact_value(key, value)) for key, value in resource.items()},
        libraries=tuple(_library(library, running) for library in INSTRUMENTORS),
        instrumentors=tuple(_instrumentors()),
        second_exporters=tuple(_second_exporters(tracers, meters, loggers)),
        log_handlers=tuple(_log_handlers()),
        agents=tuple(agent for agent in AGENTS if agent in sys.modules),
        fastapi_native=None if installed("fastapi") is None else _has_native_telemetry(),
        application=None if application is None else describe_application(application, name),
    )


def _type(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _library(name: str, running: bootstrap.Running | None) -> Library:
    done = None if running is None else running.libraries.instrumented.get(name)
    return Library(
        name=name,
        version=installed(name),
        imported=INSTRUMENTORS[name] in sys.modules,
        path="" if done is None else done.path,
        failure="" if running is None else running.libraries.failed.get(name, ""),
    )


def _instrumentors() -> Iterator[Instrumentor]:
    """Yield contrib's instrumentations: those that are installed, and those that an application activated itself."""
    active = {_instrumented_library(kind) for kind in _subclasses(BaseInstrumentor) if _is_active(kind)}
    for entry_point in entry_points(group="opentelemetry_instrumentor"):
        conflict = None
        with suppress(Exception):  # metadata that cannot be read conflicts with nothing
            conflict = get_dist_dependency_conflicts(entry_point.dist) if entry_point.dist else None
        wrong = str(conflict) if conflict is not None and conflict._is_version_conflict else ""  # noqa: SLF001 - no public way
        yield Instrumentor(entry_point.name, active=entry_point.name in active, conflict=wrong)
        active.discard(entry_point.name)
    for name in sorted(active):
        yield Instrumentor(name, active=True)


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _is_active(kind: type) -> bool:
    # An instrumentor is a singleton, made when it is first asked for: asking must not make one.
    return bool(getattr(vars(kind).get("_instance"), "is_instrumented_by_opentelemetry", False))


def _instrumented_library(kind: type) -> str:
    """Return the name that contrib's packages give to a library: `opentelemetry.instrumentation.<name>`."""
    return kind.__module__.removeprefix("opentelemetry.instrumentation.").partition(".")[0]


def _second_exporters(tracers: Any, meters: Any, loggers: Any) -> Iterator[str]:
    """Yield the OTLP exporters of others that hang on the providers, which have our own already."""
    processors = {
        "traces": getattr(getattr(tracers, "_active_span_processor", None), "_span_processors", ()),
        "logs": getattr(getattr(loggers, "_multi_log_record_processor", None), "_log_record_processors", ()),
        "metrics": getattr(meters, "_metric_readers", ()),
    }
    for signal, found in processors.items():
        for exporter in _exporters(found):
            if type(exporter).__name__.startswith("OTLP"):
                yield f"{signal}: {_type(exporter)}"


def _exporters(processors: Iterable[Any]) -> Iterator[Any]:
    """Yield what processors and readers export with, as far as they show it."""
    for processor in processors:
        batches = getattr(processor, "_batch_processor", processor)
        for name in ("span_exporter", "_exporter", "_log_exporter"):
            exporter = getattr(batches, name, None)
            if exporter is not None:
                yield exporter
                break


def _log_handlers() -> Iterator[str]:
    """Yield handlers of others that export what is logged."""
    named = (logger for logger in logging.root.manager.loggerDict.values() if isinstance(logger, logging.Logger))
    for logger in (logging.root, *named):
        for handler in logger.handlers:
            if type(handler).__name__ == "LoggingHandler" and type(handler).__module__.startswith("opentelemetry."):
                yield f"{_type(handler)} on {logger.name}"


def _has_native_telemetry() -> bool:
    with suppress(ImportError):
        return find_spec("fastapi.telemetry") is not None
    return False


def main(arguments: list[str]) -> None:
    """Import the application, or every library that we know, and write down what became of it."""
    file, name = Path(arguments[0]), arguments[1] if len(arguments) > 1 else ""
    application = load(name) if name else None
    if application is None:
        for module in INSTRUMENTORS.values():
            with suppress(ImportError):
                import_module(module)
    import json  # noqa: PLC0415 - only this process needs it

    file.write_text(json.dumps(asdict(describe(application, name))), encoding="utf-8")
    # At once: an application may have started threads that never end.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
