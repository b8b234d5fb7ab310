"""As much of PromQL as files of objectives use to count events: selectors, and sums of their rates."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_NAME: Final = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_MATCHER: Final = re.compile(
    r"\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)')\s*(,|$)", re.ASCII
)
_SELECTOR: Final = re.compile(rf"\s*({_NAME})\s*(?:\{{(.*)\}})?\s*", re.DOTALL | re.ASCII)
_RATE: Final = re.compile(r"sum\s*\(\s*(?:rate|increase)\s*\((.*)\[\{\{\s*\.window\s*\}\}\]\s*\)\s*\)", re.DOTALL)
_STRING: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.DOTALL)
_LESS: Final = re.compile(r"(?<=\))\s*-\s*(?=sum\b)")
_LONGEST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a label has to be."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        """Return it as it is written."""
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'{self.label}{self.operator}"{value}"'


@dataclass(frozen=True, slots=True)
class Selector:
    """Series of one metric."""

    metric: str
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        """Return it as it is written."""
        return f"{self.metric}{{{','.join(map(str, self.matchers))}}}" if self.matchers else self.metric

    def of(self, is_so: Callable[[Matcher], bool]) -> tuple[Matcher, ...]:
        """Return some of the matchers."""
        return tuple(each for each in self.matchers if is_so(each))


def selector(text: str) -> Selector:
    """Read a selector.

    Raises:
        ValueError: it is none.
    """
    match = _SELECTOR.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise ValueError("is no selector of one metric")
    found, place, inside = [], 0, match[2] or ""
    while inside[place:].strip():
        matcher = _MATCHER.match(inside, place)
        if matcher is None:
            raise ValueError(f"has a label that cannot be read: {inside[place : place + 40]!r}")
        value = matcher[3] if matcher[3] is not None else matcher[4]
        found.append(Matcher(matcher[1], matcher[2], re.sub(r"\\(.)", _unescaped, value)))
        place = matcher.end()
    return Selector(match[1], tuple(found))


def counted(text: str) -> tuple[Selector, Selector | None]:
    """Read the sum of a selector's rate over sloth's window, and of another one that is taken off it.

    Raises:
        ValueError: it is something else.
    """
    stripped = text.strip() if len(text) <= _LONGEST else ""
    while stripped.startswith("(") and stripped.endswith(")") and _is_one(stripped):
        stripped = stripped[1:-1].strip()
    cuts = list(_LESS.finditer(_masked(stripped)))
    texts = [stripped[: cuts[0].start()], stripped[cuts[0].end() :]] if len(cuts) == 1 else [stripped]
    parts = [match for text in texts if (match := _RATE.fullmatch(text.strip()))]
    if len(parts) != len(texts):
        raise ValueError("is no sum(rate(metric[{{.window}}]))")
    found = [selector(match[1]) for match in parts]
    return found[0], found[1] if len(found) > 1 else None


def _masked(text: str) -> str:
    """Return it with nothing in its strings that could be taken for what is around them."""
    return _STRING.sub(lambda match: "_" * len(match[0]), text)


def _is_one(text: str) -> bool:
    """Return whether the first bracket is closed by the last one."""
    depth = 0
    for place, character in enumerate(_masked(text)):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return place == len(text) - 1
    return False


def _unescaped(match: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(match[1], match[1])
