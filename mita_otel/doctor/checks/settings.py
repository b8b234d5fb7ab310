"""Values that are not allowed, and names that nothing reads."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from mita_otel.doctor.facts.model import Facts
from mita_otel.doctor.model import Judgement, error, ok, warning

_FILE: Final = "OTEL_CONFIG_FILE"
_LIKENESS: Final = 0.9
"""How alike a name and a known one must be, of 1, for the one to be the other misspelled."""


def judge(facts: Facts) -> Iterator[Judgement]:
    """Name each value that is not allowed and each variable that is likely misspelled."""
    misspelled = {name: meant for name in sorted(facts.variables) if (meant := _meant(name, facts.known))}
    for name, problem in facts.problems.items():
        yield error(problem, f"correct {name} or remove it: until then its default holds")
    for name, meant in misspelled.items():
        yield warning(f"{name} is set, but nothing reads it", f"did you mean {meant}? Rename {name} or remove it")
    if _FILE in facts.variables:
        yield warning(f"{_FILE} is set, and mita_otel does not read it", f"set variables, and remove {_FILE}")
    elif not (facts.problems or misspelled):
        given = sum(name in facts.known for name in facts.variables)
        yield ok(f"{given} set in the environment, all allowed")


def _meant(name: str, known: frozenset[str]) -> str | None:
    """Return the known name that an unknown one is likely to stand for.

    Other names that begin like ours may be somebody else's, and each instrumentation reads some of its own.
    """
    if name in known or name.endswith("_EXCLUDED_URLS"):
        return None
    return next(iter(get_close_matches(name, known, n=1, cutoff=_LIKENESS)), None)
