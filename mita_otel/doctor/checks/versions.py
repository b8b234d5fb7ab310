"""Packages that release together must be installed together."""

from collections.abc import Iterator
from typing import Final

from mita_otel.doctor.facts.model import Facts, Unmet
from mita_otel.doctor.model import Judgement, error, ok, warning

ENCODING: Final = frozenset({"protobuf", "grpcio", "googleapis-common-protos", "opentelemetry-proto"})
"""Packages that the check of protobuf and gRPC speaks about."""

_FIX: Final = "pip install --force-reinstall mita-otel, and let nothing else pin opentelemetry-* to other versions"


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name each package whose version is not the one that is needed."""
    packages = facts.packages
    if packages is None:
        return
    unmet = [one for one in packages.unmet if one.package not in ENCODING]
    for one in unmet:
        yield error(sentence(one), _FIX if one.package in packages.pins else f"pip install '{_wanted(one)}'")
    for name, versions in packages.copies.items():
        yield warning(
            f"{name} is installed more than once, as {' and '.join(versions)}: the first is used",
            f"look for a second folder in PYTHONPATH, or pip uninstall {name} until it is gone and install it again",
        )
    if not (unmet or packages.copies):
        sdk = packages.pins.get("opentelemetry-sdk", "")
        yield ok(f"{len(packages.pins)} packages of the set of SDK {sdk} are those that were tested together")


def sentence(unmet: Unmet) -> str:
    """Say what is required and what is there."""
    found = f"{unmet.found} is installed in {unmet.folder}" if unmet.found else "it is not installed"
    return f"{unmet.required_by} needs {_wanted(unmet)}, but {found}"


def _wanted(unmet: Unmet) -> str:
    return f"{unmet.package}{unmet.specifier}"
