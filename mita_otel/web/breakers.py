"""`/_mita/breakers`: the circuit breakers of this process, to see and to overrule.

    GET  /_mita/breakers                 all of them, with their histories
    GET  /_mita/breakers/{name}          one
    POST /_mita/breakers/{name}/{word}   open, close, disable, or observe: what `WORDS` makes of it

Each worker has its own breakers: a word reaches the others only where the breaker's state is shared.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from mita_otel.breakers import REGISTRY, Override, Registry
from mita_otel.breakers.registry import Registered

PATH: Final = "/_mita/breakers"

WORDS: Final[Mapping[str, Override | None]] = {
    "open": Override.FORCED_OPEN,
    "close": None,
    "disable": Override.DISABLED,
    "observe": Override.METRICS_ONLY,
}


def concerns(page: str) -> bool:
    """Say whether a path is one of these."""
    return page == PATH or page.startswith(f"{PATH}/")


class Answer(NamedTuple):
    """What is answered: a status, what becomes JSON, and the methods that are allowed if this one was not."""

    status: int
    content: Any
    allowed: str = ""

    @property
    def body(self) -> bytes:
        """The content as JSON."""
        return json.dumps(self.content).encode()


def answer(method: str, rest: str, registry: Registry = REGISTRY) -> Answer:
    """Answer a request.

    Args:
        method: of HTTP.
        rest: of the path, after `PATH`.
        registry: the breakers; the process's by default.
    """
    name, _, word = rest.strip("/").partition("/")
    if not name:
        breakers = {breaker.ledger.name: breaker.ledger.as_dict() for breaker in registry}
        return _read(method, {"process": os.getpid(), "breakers": breakers})
    breaker = registry.get(name)
    if breaker is None:
        return Answer(404, {"error": f"there is no breaker {name[:64]!r} in this process"})
    if not word:
        return _read(method, {"process": os.getpid(), **breaker.ledger.as_dict()})
    return _overrule(method, word, breaker)


def _overrule(method: str, word: str, breaker: Registered) -> Answer:
    if word not in WORDS:
        return Answer(404, {"error": f"the words are {', '.join(WORDS)}"})
    if method != "POST":
        return Answer(405, {"error": "only POST is allowed"}, "POST")
    try:
        breaker.override(WORDS[word])
    except NotImplementedError as error:
        return Answer(409, {"error": str(error)})
    return Answer(200, {"process": os.getpid(), **breaker.ledger.as_dict()})


def _read(method: str, content: Any) -> Answer:
    return Answer(200, content) if method == "GET" else Answer(405, {"error": "only GET is allowed"}, "GET")
