"""Whether telemetry says whose it is."""

from collections.abc import Iterator
from typing import Final

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, ok, warning

_VARIABLE: Final = "OTEL_RESOURCE_ATTRIBUTES"


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name what is missing of the resource, and what could not be read."""
    broken = [pair for pair in facts.variables.get(_VARIABLE, "").split(",") if pair.strip() and "=" not in pair]
    if broken:
        # Not shown: without its name nobody knows whether it is a secret.
        yield warning(
            f"{_VARIABLE} has {len(broken)} of its entries without '=', which are ignored",
            f"write {_VARIABLE} as name=value,name=value, and a comma within a value as %2C",
        )
    if facts.process is None or not facts.process.resource:
        return
    resource = facts.process.resource
    name = resource.get("service.name", "unknown_service")
    if name.startswith("unknown_service"):
        yield warning(
            f"service.name is {name}: nobody can tell whose telemetry it is",
            "set OTEL_SERVICE_NAME",
        )
    elif not broken:
        named = [
            f"{key}={resource[key]}" for key in ("service.version", "deployment.environment.name") if key in resource
        ]
        yield ok(", ".join([f"service.name={name}", *named]))
