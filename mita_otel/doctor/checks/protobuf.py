"""What encodes telemetry: protobuf and gRPC."""

from collections.abc import Iterator

from mita_otel.doctor.checks.versions import ENCODING, sentence
from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, error, ok, warning


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name versions that do not go together, and code that cannot be imported."""
    packages = facts.packages
    if packages is None or packages.protobuf is None:
        return
    unmet = [one for one in packages.unmet if one.package in ENCODING]
    for one in unmet:
        yield error(sentence(one), f"pip install --upgrade '{one.package}{one.specifier}'")
    found = packages.protobuf
    if found.problem:
        yield error(
            f"telemetry cannot be encoded: {found.problem}",
            "pip install --force-reinstall protobuf grpcio opentelemetry-proto, and look for a folder called google or "
            "grpc in PYTHONPATH",
        )
    elif found.implementation == "python":
        yield warning(
            "protobuf works in pure Python, many times slower",
            "remove PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION, or pip install --force-reinstall protobuf for its binary",
        )
    elif not unmet:
        yield ok(f"protobuf {found.version} ({found.implementation}), grpcio {found.grpc}")
