"""Which libraries are traced and measured, and why others are not."""

from collections.abc import Iterator

from mita_otel.doctor.facts.model import Facts, Library
from mita_otel.doctor.model import Judgement, error, ok, warning

_VARIABLE = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def judge(facts: Facts) -> Iterator[Judgement]:
    """Speak of each library that is installed."""
    process = facts.process
    if process is None or not process.ours:
        return
    disabled = set(facts.settings.disabled_instrumentations)
    for library in process.libraries:
        if library.version is not None:
            yield _judged(library, disabled)
    absent = [library.name for library in process.libraries if library.version is None]
    if absent:
        yield ok(f"not installed: {', '.join(absent)}")
    ours = {library.name for library in process.libraries}
    for instrumentor in process.instrumentors:
        if instrumentor.name in ours:
            continue
        if instrumentor.active:
            yield ok(f"{instrumentor.name}: by contrib")
        elif instrumentor.conflict and not disabled & {"*", instrumentor.name}:
            yield warning(
                f"{instrumentor.name} is not instrumented: {instrumentor.conflict}",
                f"install a version that it knows, or disable it by {_VARIABLE}={instrumentor.name}",
            )


def _judged(library: Library, disabled: set[str]) -> Judgement:
    named = f"{library.name} {library.version}"
    if disabled & {"*", library.name}:
        name = library.name if library.name in disabled else "*"
        return warning(f"{named} is disabled by {_VARIABLE}", f"take {name!r} out of {_VARIABLE}")
    if library.failure:
        return error(
            f"{named} could not be instrumented: {library.failure}",
            f"install a version of {library.name} that mita-otel knows, or disable it by {_VARIABLE}={library.name}",
        )
    if library.path:
        return ok(f"{named}: {library.path}")
    if library.imported:
        return error(
            f"{named} was imported, but is not instrumented",
            "start the service by mita-instrument or opentelemetry-instrument, so that mita_otel comes first",
        )
    return ok(f"{named}: not imported, so not instrumented")
