"""OpenSLO as we write it: services, objectives, indicators, policies; the specification's order, and no defaults."""

from typing import Any, Final

from mita_otel.slo import openslo
from mita_otel.slo.documents import read
from mita_otel.slo.formats.written import text
from mita_otel.slo.specification import parse

_ORDER: Final = ("Service", "SLO", "SLI", "AlertPolicy")


def normal(source: str, file: str) -> str:
    """Return a file in our order.

    Raises:
        SpecificationError: it says what cannot be.
    """
    return text(documents(source, file))


def documents(source: str, file: str) -> list[dict[str, Any]]:
    """Return the documents of a file in our order.

    Raises:
        SpecificationError: it says what cannot be.
    """
    parse(source, file)
    made = [openslo.parsed(document) for document in read(source, file)]
    return [
        {"apiVersion": each.apiVersion, "kind": each.kind, **each.model_dump(by_alias=True, exclude_defaults=True)}
        for each in sorted(made, key=lambda each: _ORDER.index(each.kind))
    ]
