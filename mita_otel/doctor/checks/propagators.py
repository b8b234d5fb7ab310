"""Whether a trace goes on in the next service."""

from collections.abc import Iterator
from typing import Final

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, error, ok, warning

_DEFAULT: Final = ("tracecontext", "baggage")


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name propagators that are missing or not known."""
    names = _DEFAULT if facts.settings.propagators is None else facts.settings.propagators
    unknown = [*_unknown(facts, names)]
    for name in unknown:
        yield error(
            f"OTEL_PROPAGATORS={','.join(names)}: no propagator {name!r} is installed, and the service runs without "
            "telemetry",
            f"take {name!r} out of OTEL_PROPAGATORS, or pip install opentelemetry-propagator-{name}",
        )
    if unknown:
        return
    if set(names) <= {"none", "baggage"}:
        yield error(
            f"OTEL_PROPAGATORS={','.join(names)}: every service begins a trace of its own",
            "set OTEL_PROPAGATORS=tracecontext,baggage or remove it",
        )
    elif "tracecontext" not in names:
        yield warning(
            f"OTEL_PROPAGATORS={','.join(names)} leaves out tracecontext: traces end where others speak the standard",
            f"set OTEL_PROPAGATORS=tracecontext,{','.join(names)}",
        )
    else:
        headers = facts.process.propagated if facts.process else ()
        yield ok(f"{', '.join(names)}{': ' + ', '.join(headers) if headers else ''}")


def _unknown(facts: Facts, names: tuple[str, ...]) -> Iterator[str]:
    if facts.packages is None:
        return
    group = "opentelemetry_propagator"
    known = {"none", *_DEFAULT, *(entry.name for entry in facts.packages.entry_points if entry.group == group)}
    yield from (name for name in names if name not in known)
