"""What an SQL statement does, in words few enough for a span's name, and its text without the values."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from mita_otel.redaction import redact_statement

TEXT_LIMIT: Final = 4096
"""Characters of a statement that are read and kept; a longer one is a list of values nearly always."""

SUMMARY_LIMIT: Final = 255
"""Characters of a summary. Source: semantic conventions, `db.query.summary`."""

_VERBS: Final = frozenset(
    {
        "ALTER",
        "ANALYZE",
        "CALL",
        "CLOSE",
        "CLUSTER",
        "COMMENT",
        "COPY",
        "CREATE",
        "DEALLOCATE",
        "DECLARE",
        "DELETE",
        "DISCARD",
        "DO",
        "DROP",
        "EXECUTE",
        "EXPLAIN",
        "FETCH",
        "GRANT",
        "INSERT",
        "LISTEN",
        "LOCK",
        "MERGE",
        "MOVE",
        "NOTIFY",
        "PRAGMA",
        "PREPARE",
        "REFRESH",
        "REINDEX",
        "REPLACE",
        "RESET",
        "REVOKE",
        "SELECT",
        "SET",
        "SHOW",
        "TABLE",
        "TRUNCATE",
        "UNLISTEN",
        "UPDATE",
        "VACUUM",
        "VALUES",
    }
)
"""Operations that may become the value of a metric's attribute: a closed set."""

_TRANSACTION_VERBS: Final = frozenset({"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"})
_MAIN_VERBS: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "VALUES"})
_BEFORE_TARGET: Final = frozenset({"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "COPY"})
_BETWEEN: Final = frozenset({"ONLY", "LATERAL", "IF", "NOT", "EXISTS"})
_FROM_IN_CALL: Final = frozenset({"EXTRACT", "SUBSTRING", "TRIM", "OVERLAY"})
_NOT_A_TARGET: Final = frozenset({"SELECT", "VALUES", "SET", "WITH", "WHERE", "UNNEST"})

_TOKEN: Final = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<name>(?:"(?:[^"]|"")*"|`[^`]*`|[^\W\d][\w$]*)(?:\s*\.\s*(?:"(?:[^"]|"")*"|`[^`]*`|[^\W\d][\w$]*))*)
      | (?P<mark>[(),;])""",
    re.VERBOSE | re.DOTALL,
)


class Statement(NamedTuple):
    """A statement as telemetry shows it.

    Attributes:
        operation: its verb, from a closed set, or None.
        collections: the tables it names, in their order, without duplicates.
        text: the statement without literal values.
        controls_transaction: whether it only begins or ends a transaction or a part of one.
    """

    operation: str | None
    collections: tuple[str, ...]
    text: str
    controls_transaction: bool

    @property
    def summary(self) -> str | None:
        """The operation and its tables, as `SELECT transactions`; None if the operation is not known.

        Source: semantic conventions, "Generating a summary of the query".
        """
        if self.operation is None:
            return None
        summary = " ".join((self.operation, *self.collections))
        return summary if len(summary) <= SUMMARY_LIMIT else summary[:SUMMARY_LIMIT].rpartition(" ")[0]


def describe(statement: str) -> Statement:
    """Read a statement; of one beyond `TEXT_LIMIT` only the beginning."""
    text = redact_statement(statement[:TEXT_LIMIT])
    if len(statement) > TEXT_LIMIT:
        text += "...[truncated]"
    tokens = list(_tokens(text))
    verb = next((token.upper() for token in tokens if token not in {"(", ";"}), "")
    return Statement(
        operation=_operation(verb, tokens),
        collections=tuple(dict.fromkeys(_targets(tokens))),
        text=text,
        controls_transaction=verb in _TRANSACTION_VERBS,
    )


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        if match.lastgroup == "mark":
            yield match[0]
        elif match.lastgroup == "name":
            yield match[0].replace('"', "").replace("`", "")


def _operation(verb: str, tokens: list[str]) -> str | None:
    if verb != "WITH":
        return verb if verb in _VERBS else None
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and token.upper() in _MAIN_VERBS:
            return token.upper()
    return None


def _targets(tokens: list[str]) -> Iterator[str]:
    local = _local_names(tokens)
    calls: list[str] = []
    previous = ""
    for index, token in enumerate(tokens):
        word = token.upper()
        if token == "(":  # noqa: S105 - a bracket, not a password
            calls.append(previous)
        elif token == ")" and calls:  # noqa: S105 - as above
            calls.pop()
        elif word in _BEFORE_TARGET and not _means_something_else(word, previous, calls):
            yield from (name for name in _names(tokens, index + 1, listed=word == "FROM") if name not in local)
        previous = word


def _means_something_else(word: str, previous: str, calls: list[str]) -> bool:
    """Tell `FOR UPDATE`, `DO UPDATE`, `IS DISTINCT FROM` and `EXTRACT(year FROM x)` from what names a table."""
    if word == "UPDATE":
        return previous in {"FOR", "DO", "KEY", "ON"}
    if word == "FROM":
        return previous == "DISTINCT" or bool(calls and calls[-1] in _FROM_IN_CALL)
    return word == "COPY" and bool(previous)


def _names(tokens: list[str], start: int, *, listed: bool) -> Iterator[str]:
    index = start
    while index < len(tokens):
        while index < len(tokens) and tokens[index].upper() in _BETWEEN:
            index += 1
        if index >= len(tokens) or tokens[index] in "(),;" or tokens[index].upper() in _NOT_A_TARGET:
            return
        is_call = listed and index + 1 < len(tokens) and tokens[index + 1] == "("
        if is_call:
            return
        yield tokens[index]
        # An alias, with AS or without, may stand between a table and the comma before the next.
        index = next((i + 1 for i in range(index + 1, min(index + 4, len(tokens))) if tokens[i] == ","), len(tokens))
        if not listed:
            return


def _local_names(tokens: list[str]) -> frozenset[str]:
    """Return the names that a WITH clause defines: they are not tables."""
    if not any(token.upper() == "WITH" for token in tokens[:2]):
        return frozenset()
    return frozenset(
        tokens[i]
        for i in range(len(tokens) - 2)
        if tokens[i + 1].upper() == "AS" and ("(" in tokens[i + 2 : i + 5]) and tokens[i] not in "(),;"
    )
