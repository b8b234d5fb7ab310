"""SQL without its literals."""

import re
from functools import cache
from typing import Final

_COMMENT_MARKS: Final = re.compile(r"/\*|\*/")
_SPACE: Final = re.compile(r"\s+")
_ITEM: Final = r"[-+]?(?:\?|\$[0-9]++|%s|%\(\w++\)s|:\w++)(?:::[\w.\[\]]++)?"
_ROW: Final = rf"\( ?{_ITEM}(?: ?, ?{_ITEM})* ?\)"


# A service that runs no statement does not wait for these.
@cache
def _tokens() -> re.Pattern[str]:
    return re.compile(
        r"""
        (?=["`'$.\-/0-9eEbBxXnNuU]) # only these begin a token: a look at one spares a look at all of these forms
        (?:
          (?P<kept>"[^"]*+" | `[^`]*+` | \$[0-9]++ | (?<=[^\W\d])\$[\w$]*+ | \.\.\.\[truncated[^\]]*+\]\Z)
        | (?P<comment>--[^\n]*+ | /\*)
        | (?P<doubtful>
            '(?:[^'\\]|''|\\[^'])*\\'.* # in standard SQL the quote ends here, in other dialects it does not
          | ["`].*
          )
        | (?P<literal>
            (?<![\w$])[eE]'(?:[^'\\]|''|\\.)*(?:'|\\?\Z)
          | (?:(?<![\w$])(?:[bBxXnN]|[uU]&))?'[^']*+(?:''[^']*+)*(?:'|\Z)
          | \$(?P<tag>(?:[A-Za-z_]\w*+)?)\$.*?(?:\$(?P=tag)\$|\Z)
          | (?<![\w:])\.?[0-9][\w.]*+(?:(?<=[eE])[+-][0-9]++)?
          )
        )
        """,
        re.VERBOSE | re.DOTALL,
    )


@cache
def _in() -> re.Pattern[str]:
    return re.compile(rf"\b(IN) ?\( ?{_ITEM}(?: ?, ?{_ITEM})*(?: ?, ?)?(?:\)|\Z)", re.IGNORECASE)


@cache
def _array() -> re.Pattern[str]:
    return re.compile(rf"\b(ARRAY) ?\[ ?{_ITEM}(?: ?, ?{_ITEM})* ?\]", re.IGNORECASE)


@cache
def _rows() -> re.Pattern[str]:
    return re.compile(rf"({_ROW})(?: ?, ?{_ROW})+")


def redact_statement(sql: str) -> str:
    """Return a statement with literals as `?`, without comments, on one line, lists of values shortened.

    Placeholders and identifiers, quoted ones too, stay; `IN` lists become `IN (?)`, of rows after `VALUES` the first is
    kept. A literal that does not end, or of which the dialect would have to say where, is masked to the end: what is
    in doubt does not leave.
    """
    text = _SPACE.sub(" ", _without_literals(sql)).strip()
    return _rows().sub(r"\1", _array().sub(r"\1[?]", _in().sub(r"\1 (?)", text)))


def _without_literals(sql: str) -> str:
    kept: list[str] = []
    position = 0
    tokens = _tokens()
    match = tokens.search(sql)
    while match is not None:
        end = match.end()
        if match["kept"] is None:
            kept.append(sql[position : match.start()])
            position = end = _comment_end(sql, match)
            kept.append("?" if match["comment"] is None else " ")
        match = tokens.search(sql, end)
    kept.append(sql[position:])
    return "".join(kept)


def _comment_end(sql: str, match: re.Match[str]) -> int:
    """Return where a token ends; comments in PostgreSQL may hold comments."""
    if match.group() != "/*":
        return match.end()
    depth = 0
    for mark in _COMMENT_MARKS.finditer(sql, match.start()):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(sql)
