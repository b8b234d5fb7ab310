"""YAML with the line of every value, so that a mistake can be shown where it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import yaml

Place: TypeAlias = tuple[str | int, ...]
"""The keys and positions that lead to a value."""

LARGEST: Final = 1_000_000
"""Characters of a file: a thousand objectives, and no more work than that before it is refused."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class SpecificationError(ValueError):
    """A specification is not as it must be; each problem is `file:line: field: what is wrong`."""

    def __init__(self, problems: list[str]) -> None:
        """Take the problems, in the order of the file."""
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True, slots=True)
class Document:
    """One of a file's documents.

    Attributes:
        file: its name, for messages.
        value: what it holds.
        lines: where each value begins, counted from 1.
    """

    file: str
    value: Any
    lines: Mapping[Place, int]

    def problem(self, place: Place, sentence: str) -> str:
        """Return a problem of the value at a place, as a message tells it."""
        known = place
        while known and known not in self.lines:
            known = known[:-1]  # what is missing is missed where it should be
        return f"{self.file}:{self.lines.get(known, 1)}: {named(place)}{sentence}"


def named(place: Place) -> str:
    """Return how a message names a place."""
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return f"{parts.removeprefix('.')}: " if parts else ""


def read(text: str, file: str) -> list[Document]:
    """Return the documents of a text.

    Raises:
        SpecificationError: it is no YAML, too large, repeats a key, or uses aliases.
    """
    if len(text) > LARGEST:
        raise SpecificationError([f"{file}:1: has more than {LARGEST} characters"])
    loader = _Loader(text)
    try:
        return list(_documents(loader, file))
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        raise SpecificationError([f"{file}:{line}: is no YAML: {error.problem}"]) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SpecificationError([f"{file}:1: is no YAML: {' '.join(str(error).split())}"]) from error
    finally:
        loader.dispose()


def _documents(loader: Any, file: str) -> Iterator[Document]:
    while loader.check_node():
        node = loader.get_node()
        lines: dict[Place, int] = {}
        _walk(node, (), lines, set())
        value = loader.construct_document(node)
        if value is not None:
            yield Document(file, value, lines)


def _walk(node: Any, place: Place, lines: dict[Place, int], seen: set[int]) -> None:
    """Note the line of a node and of all below it."""
    if id(node) in seen:
        # One that is written in ten lines may hold a billion values.
        raise yaml.MarkedYAMLError(problem="aliases are not read", problem_mark=node.start_mark)
    seen.add(id(node))
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _walk(item, (*place, position), lines, seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*place, str(key.value))
            if inner in lines:
                raise yaml.MarkedYAMLError(problem=f"repeats {key.value!r}", problem_mark=key.start_mark)
            lines[inner] = key.start_mark.line + 1
            _walk(value, inner, lines, seen)
