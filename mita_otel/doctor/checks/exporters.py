"""Where each signal is to go: whether anything is sent at all."""

from collections.abc import Iterator
from typing import Final

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, error, ok, warning

_SIGNALS: Final = ("traces", "metrics", "logs")
_SDK_OTLP: Final = frozenset({"otlp_proto_http", "otlp_proto_grpc"})


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name signals that go nowhere, and exporters that are not installed."""
    chosen: dict[str, tuple[str, ...]] = {signal: getattr(facts.settings, f"{signal}_exporter") for signal in _SIGNALS}
    silent = [signal for signal, names in chosen.items() if set(names) <= {"none"}]
    missing = [*_missing(facts, chosen)]
    for variable, name, known in missing:
        yield error(
            f"{variable}={name}: no exporter of that name is installed, and the service runs without telemetry",
            f"set {variable} to one of {', '.join(known)}, or pip install opentelemetry-exporter-{name}",
        )
    for signal, names in chosen.items():
        for name in sorted(_SDK_OTLP.intersection(names)):
            yield warning(
                f"OTEL_{signal.upper()}_EXPORTER={name} is the SDK's own exporter: what it cannot "
                "deliver in ten seconds is lost",
                f"set OTEL_{signal.upper()}_EXPORTER=otlp, and OTEL_EXPORTER_OTLP_PROTOCOL if it is gRPC",
            )
    if len(silent) == len(_SIGNALS):
        yield error("the exporter of every signal is none: nothing leaves the service", f"remove {_variables(silent)}")
    elif silent:
        yield warning(f"the exporter of {' and '.join(silent)} is none", f"remove {_variables(silent)}, or leave it so")
    if not (silent or missing):
        yield ok(", ".join(f"{signal} by {'+'.join(names)}" for signal, names in chosen.items()))


def _missing(facts: Facts, chosen: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str, list[str]]]:
    if facts.packages is None:
        return
    for signal, names in chosen.items():
        group = f"opentelemetry_{signal}_exporter"
        known = {"none", "otlp", *(entry.name for entry in facts.packages.entry_points if entry.group == group)}
        for name in names:
            if name not in known:
                yield f"OTEL_{signal.upper()}_EXPORTER", name, sorted(known)


def _variables(signals: list[str]) -> str:
    return ", ".join(f"OTEL_{signal.upper()}_EXPORTER" for signal in signals)
