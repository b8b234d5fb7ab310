"""Files of objectives as text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was made of another one.

    Attributes:
        text: YAML; empty where nothing could be carried over.
        notes: what could not, each `file:line: field: what`.
    """

    text: str
    notes: tuple[str, ...] = ()


class _Dumper(yaml.SafeDumper):
    """Indents the items of lists, and writes what a reader sees."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002 - theirs
        """Indent lists, too."""
        return super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - theirs
        """Write what is there twice twice: aliases are not read."""
        return True


def text(documents: Iterable[Mapping[str, Any]]) -> str:
    """Return the text of some documents."""
    made: str = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return made
