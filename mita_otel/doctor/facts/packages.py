"""What is installed: versions, requirements that are not met, and what packages offer to the launcher."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions, entry_points
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mita_otel.doctor.facts.model import EntryPoint, Packages, Protobuf, Unmet

DISTRIBUTION: Final = "mita-otel"

GROUPS: Final = (
    "opentelemetry_distro",
    "opentelemetry_configurator",
    "opentelemetry_traces_exporter",
    "opentelemetry_metrics_exporter",
    "opentelemetry_logs_exporter",
    "opentelemetry_propagator",
    "opentelemetry_traces_sampler",
)


@cache
def find_packages() -> Packages:
    """Look at everything that this distribution needs, and at what that needs in turn; once in a process."""
    needed = dict(_walk())
    return Packages(
        pins=pins(),
        unmet=tuple(unmet for found in needed.values() for unmet in found),
        copies=_copies(needed),
        entry_points=tuple(
            EntryPoint(group, entry.name, entry.dist.name if entry.dist else "")
            for group in GROUPS
            for entry in entry_points(group=group)
        ),
        protobuf=_protobuf(),
    )


def pins() -> Mapping[str, str]:
    """Return the exact versions that this distribution was made with, by package: the consistent set."""
    exact = {}
    for requirement in _requirements(distribution(DISTRIBUTION), frozenset()):
        for specifier in requirement.specifier:
            if specifier.operator == "==":
                exact[requirement.name] = specifier.version
    return exact


def installed(package: str) -> str | None:
    """Return the version of a package, or None."""
    try:
        return distribution(package).version
    except PackageNotFoundError:
        return None


def _walk() -> Iterator[tuple[str, list[Unmet]]]:
    """Yield each package that is needed, directly or not, with the requirements of its own that are not met."""
    waiting: list[tuple[str, frozenset[str]]] = [(DISTRIBUTION, frozenset())]
    seen = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # whoever requires it has said so
        unmet = []
        for requirement in _requirements(found, extras):
            waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
            problem = _unmet(requirement, found.name)
            if problem is not None:
                unmet.append(problem)
        yield name, unmet


def _requirements(found: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for line in found.requires or ():
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def _unmet(requirement: Requirement, required_by: str) -> Unmet | None:
    try:
        found = distribution(requirement.name)
    except PackageNotFoundError:
        return Unmet(requirement.name, str(requirement.specifier), None, "", required_by)
    if requirement.specifier.contains(found.version, prereleases=True):
        return None
    return Unmet(requirement.name, str(requirement.specifier), found.version, _folder(found), required_by)


def _folder(found: Distribution) -> str:
    return str(Path(str(found.locate_file(""))))


def _copies(names: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    copies = {}
    for name in sorted(names):
        versions = tuple(dict.fromkeys(found.version for found in distributions(name=name)))
        if len(versions) > 1:
            copies[name] = versions
    return copies


def _protobuf() -> Protobuf:
    version, implementation, grpc, problem = None, "", None, ""
    try:
        version = str(import_module("google.protobuf").__version__)
        implementation = str(import_module("google.protobuf.internal.api_implementation").Type())
        import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    except Exception as error:  # noqa: BLE001 - generated code raises TypeError, or what it likes
        problem = _first_line(error)
    try:
        grpc = str(import_module("grpc").__version__)
    except Exception as error:  # noqa: BLE001 - as above
        problem = problem or _first_line(error)
    return Protobuf(version=version, implementation=implementation, grpc=grpc, problem=problem)


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
