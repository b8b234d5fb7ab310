"""The plan of a slow query: PostgreSQL is asked afterwards, on a connection of its own, and never on a request's time.

The statement is prepared and its plan for any parameters is asked for (`plan_cache_mode=force_generic_plan`): what
`EXPLAIN (GENERIC_PLAN)` answers, but on every version since 12, over drivers that send statements one by one, and
without the values ever being kept. Of a partitioned table such a plan shows that partitions are removed as it runs.
"""

import logging
import os
import re
import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import orjson

from mita_otel.libraries.link import Ask, driver_error, status_code
from mita_otel.libraries.quiet import quiet
from mita_otel.libraries.slow.render import render
from mita_otel.redaction import redact_statement

if TYPE_CHECKING:
    from mita_otel.libraries.database import Call

Then: TypeAlias = Callable[[str | None, str | None], None]
"""Takes the plan, or the reason why there is none."""

TIMEOUT: Final = 2.0
"""Seconds for connecting and planning."""

WAITING: Final = 16
"""Questions that may wait; a slow query beyond them is logged without a plan."""

_NUMBERED: Final = re.compile(r"\$([0-9]{1,5})")
_FORMATTED: Final = re.compile(r"%(?:%|s|\((?P<name>[^()]*)\)s)")

_logger: Final = logging.getLogger("mita_otel.libraries")


class Plans:
    """Explains one statement after the other, in a thread that is there while there is something to explain."""

    __slots__ = ("_is_serving", "_lock", "_questions")

    def __init__(self) -> None:
        self._begin_anew()
        # The thread of a parent process does not go on in its child.
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._questions: deque[tuple[Ask, list[str], Then]] = deque()
        self._is_serving = False

    def explain(self, call: "Call", then: Then) -> bool:
        """Ask for the plan of a statement; `then` is called in another thread, within seconds. Never blocks.

        Returns:
            False where `then` will not be called: the statement cannot be explained, or too many wait.
        """
        ask = call.link.ask
        if ask is None or not explainable(call) or len(self._questions) >= WAITING:
            return False
        statement = numbered(call.statement or "") if call.link.is_formatted else call.statement or ""
        self._questions.append((ask, questions(statement), then))
        with self._lock:
            if self._is_serving:
                return True
            self._is_serving = True
        try:
            threading.Thread(target=self._serve, name="mita-plans", daemon=True).start()
        except RuntimeError:  # no thread starts while the interpreter exits
            self._begin_anew()
            return False
        return True

    def _serve(self) -> None:
        quiet.set(True)
        while True:
            with self._lock:
                if not self._questions:
                    self._is_serving = False
                    return
                ask, statements, then = self._questions.popleft()
            try:
                _answer(ask, statements, then)
            except Exception:
                _logger.exception("a slow query was not told of")


PLANS: Final = Plans()
"""The one of this process: one connection at a time is enough for what no one waits for."""


def explainable(call: "Call") -> bool:
    """Say whether a statement may be explained: a SELECT on PostgreSQL, known whole, and one alone.

    What follows a semicolon would be executed, not explained, by a driver that sends its text as it is.
    """
    attributes = call.attributes
    return (
        call.statement is not None
        and attributes["db.system.name"] == "postgresql"
        and attributes.get("db.operation.name") == "SELECT"
        and ";" not in call.statement.rstrip("; \t\r\n")
    )


def questions(statement: str) -> list[str]:
    """Return the statements that make PostgreSQL tell a plan; the last but one answers with it.

    Args:
        statement: a SELECT with numbered placeholders.
    """
    # A proxy may share the connection with others, whose names it must not be.
    name = f"mita_plan_{secrets.token_hex(8)}"
    text = statement.rstrip("; \t\r\n")
    parameters = max(map(int, _NUMBERED.findall(redact_statement(text))), default=0)
    nulls = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
    milliseconds = round(TIMEOUT * 1000)
    return [
        "SET TRANSACTION READ ONLY",
        f"SET LOCAL statement_timeout = {milliseconds}",
        f"SET LOCAL lock_timeout = {milliseconds}",
        "SET LOCAL plan_cache_mode = force_generic_plan",
        f"PREPARE {name} AS {text}",
        f"EXPLAIN (FORMAT JSON) EXECUTE {name}{nulls}",
        f"DEALLOCATE {name}",
    ]


def numbered(statement: str) -> str:
    """Return a statement with `$1` and so on in the place of `%s` and `%(name)s`.

    `%s` stands for another parameter each time, a name always for the same.
    """
    known: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        return f"${known.setdefault(match['name'] or f'%{len(known)}', len(known) + 1)}"

    return _FORMATTED.sub(number, statement)


def _answer(ask: Ask, statements: list[str], then: Then) -> None:
    try:
        [[(answer,)]] = ask(statements, TIMEOUT)[-2:-1]
        found: Any = orjson.loads(answer) if isinstance(answer, str | bytes) else answer
        plan = render(found[0])
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the slow query is still to be told of
        cause = driver_error(error)
        # Not its message, which may quote values.
        then(None, " ".join(filter(None, (type(cause).__name__, status_code(cause)))))
    else:
        then(plan, None)
