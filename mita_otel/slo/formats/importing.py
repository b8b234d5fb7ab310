"""From other tools' files to ours."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from mita_otel.slo.documents import Document, SpecificationError, read
from mita_otel.slo.formats import pyrra, sloth
from mita_otel.slo.formats.drafts import Draft
from mita_otel.slo.formats.normal import normal
from mita_otel.slo.formats.requests import Counted
from mita_otel.slo.formats.written import Written, text
from mita_otel.slo.specification import parse

Found: TypeAlias = tuple[tuple[str | int, ...], Draft, Counted | None]

_UNKNOWN: Final = "is neither sloth's prometheus/v1, nor pyrra's ServiceLevelObjective, nor openslo/v1"


def imported(source: str, file: str) -> Written:
    """Return another tool's file as OpenSLO, as far as it can be; which tool's it is is seen by each document.

    Args:
        source: its text.
        file: its name, for notes.

    Raises:
        SpecificationError: it is no YAML.
    """
    documents = read(source, file)
    if documents and all(_is_ours(document) for document in documents):
        return Written(normal(source, file))
    notes: list[str] = []
    taken = [taking for document in documents for taking in _taken(document, notes)]
    made = _usable(taken, notes)
    return Written(text(made) if made else "", tuple(sorted(dict.fromkeys(notes), key=_line)))


class _Taking(NamedTuple):
    """An objective that is to be carried over."""

    document: Document
    place: tuple[str | int, ...]
    draft: Draft
    service: Mapping[str, Any]
    objective: Mapping[str, Any]


def _taken(document: Document, notes: list[str]) -> Iterator[_Taking]:
    reader = _reader(document.value)
    if reader is None:
        notes.append(document.problem((), _UNKNOWN))
        return
    try:
        for place, draft, counted in _safely(reader(document)):
            yield _Taking(document, place, draft, *draft.documents(counted))
    except _StrangeError as error:
        notes.append(document.problem((), f"cannot be read to its end: {error}"))


def _usable(taken: Sequence[_Taking], notes: list[str]) -> list[Mapping[str, Any]]:
    """Return the documents of those that can be used together, and note the others."""
    kept = list(taken)
    if _problems(kept):
        # One of them at least cannot be: which one is seen only by adding them one by one.
        kept = []
        for each in taken:
            problems = _problems([*kept, each])
            notes += [
                each.document.problem(each.place, f"{each.draft.name} is not carried over: {p}") for p in problems
            ]
            kept += [] if problems else [each]
    notes += [each.document.problem(where, told) for each in kept for where, told in each.draft.notes]
    return _documents(kept)


def _problems(taken: Sequence[_Taking]) -> list[str]:
    try:
        parse(text(_documents(taken)))
    except SpecificationError as error:
        return [problem.split(": ", 1)[-1] for problem in error.problems]
    return []


def _documents(taken: Sequence[_Taking]) -> list[Mapping[str, Any]]:
    services = {each.objective["spec"]["service"]: each.service for each in reversed(taken)}
    return [*reversed(services.values()), *(each.objective for each in taken)]


class _StrangeError(Exception):
    """A file is not of the shape that it should be of."""


def _safely(found: Iterable[Found]) -> Iterator[Found]:
    try:
        yield from found
    except KeyError as error:
        raise _StrangeError(f"{error.args[0]} is missing, or not known") from error
    except (TypeError, AttributeError, ValueError) as error:
        raise _StrangeError(str(error)) from error


def _reader(value: Any) -> Callable[[Document], Iterator[Found]] | None:
    if not isinstance(value, Mapping):
        return None
    if value.get("version") == sloth.VERSION:
        return sloth.drafts
    return pyrra.drafts if value.get("kind") == pyrra.KIND else None


def _is_ours(document: Document) -> bool:
    return isinstance(document.value, Mapping) and document.value.get("apiVersion") == "openslo/v1"


def _line(note: str) -> int:
    return int(note.split(": ", 1)[0].rsplit(":", 1)[-1])
