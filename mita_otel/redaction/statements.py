"""SQL without its literals."""

import re
from typing import Final

STATEMENT_LIMIT: Final = 2_048
"""Characters of a statement that are kept: enough to recognise it, too few to fill a trace."""

_LONGEST: Final = 16_384
"""Characters that are looked at: the result is cut to less."""

_TOKENS: Final = re.compile(
    r"""
      (?P<identifier>"(?:[^"]|"")*"?|`[^`]*`?|[A-Za-z_][A-Za-z0-9_$]*(?!['A-Za-z0-9_$]))
    | (?P<placeholder>\$[0-9]+|%s|%\([A-Za-z0-9_]*\)s|::?[A-Za-z_][A-Za-z0-9_]*|\?)
    | (?P<comment>--[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?)
    | (?P<literal>
        [A-Za-z]?'(?:[^'\\]|''|\\.)*'?|\$[A-Za-z_]*\$.*
        |0[xX][0-9A-Fa-f]+|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_LISTS: Final = re.compile(r"\(\s*(?:\?|\$[0-9]+|%s)(?:\s*,\s*(?:\?|\$[0-9]+|%s))+\s*\)")
_MANY: Final = re.compile(r"\(\?\)(?:\s*,\s*\(\?\))+")
_SPACE: Final = re.compile(r"\s+")


def redact_statement(sql: str) -> str:
    """Return a statement with literals as `?`, without comments, on one line, lists shortened to `(?)`.

    Placeholders and identifiers stay. A literal that does not end, and everything after a dollar quote, is masked to
    the end: what is in doubt does not leave. At most 2,048 characters are kept.
    """
    text = _TOKENS.sub(_token, sql[:_LONGEST])
    text = _SPACE.sub(" ", text).strip()
    text = _MANY.sub("(?)", _LISTS.sub("(?)", text))
    return text[:STATEMENT_LIMIT]


def _token(match: re.Match[str]) -> str:
    match match.lastgroup:
        case "literal":
            return "?"
        case "comment":
            return " "
        case _:
            return match.group()
