"""From our files to other tools'."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from mita_otel.slo.documents import Document, read
from mita_otel.slo.formats import pyrra, sloth
from mita_otel.slo.formats.normal import documents
from mita_otel.slo.formats.written import Written, text

Format: TypeAlias = Literal["openslo", "sloth", "pyrra"]

_ALONE: Final = {
    "SLI": "is left out: {} has no indicators without a budget",
    "AlertPolicy": "is left out: {} has no stages of a policy",
}


def exported(source: str, file: str, to: Format) -> Written:
    """Return one of our files as another tool's, and what that has no place for.

    Args:
        source: its text.
        file: its name, for notes.
        to: the tool.

    Raises:
        SpecificationError: it says what cannot be.
    """
    ours = documents(source, file)
    if to == "openslo":
        return Written(text(ours))
    services = {each["metadata"]["name"]: each for each in ours if each["kind"] == "Service"}
    objectives = [each for each in ours if each["kind"] == "SLO"]
    carried = {each["metadata"]["name"]: _carried(each, services[each["spec"]["service"]]) for each in objectives}
    made = (
        [
            sloth.written(
                name, [(each, carried[each["metadata"]["name"]]) for each in objectives if _is_of(each, name)]
            )
            for name in services
            if any(_is_of(each, name) for each in objectives)
        ]
        if to == "sloth"
        else [pyrra.written(each, carried[each["metadata"]["name"]]) for each in objectives]
    )
    notes = [note for document in read(source, file) for note in _notes(document, to)]
    return Written(text(made) if made else "", tuple(notes))


def _is_of(objective: Mapping[str, Any], service: str) -> bool:
    return bool(objective["spec"]["service"] == service)


def _carried(objective: Mapping[str, Any], service: Mapping[str, Any]) -> str:
    return json.dumps({"service": service, "slo": objective}, separators=(",", ":"), ensure_ascii=False)


def _notes(document: Document, to: Format) -> Sequence[str]:
    kind = document.value["kind"]
    if kind in _ALONE:
        return [
            document.problem(("metadata", "name"), f"{document.value['metadata']['name']} {_ALONE[kind]}".format(to))
        ]
    if kind != "SLO":
        return []
    window, place = document.value["spec"]["timeWindow"][0], ("spec", "timeWindow", 0, "duration")
    if not window["isRolling"]:
        return [document.problem(place, f"{to} has no calendars: a rolling window is written")]
    if to == "sloth" and window["duration"] != sloth.PERIOD:
        return [
            document.problem(place, f"sloth takes it from its command line: --default-slo-period {window['duration']}")
        ]
    return []
