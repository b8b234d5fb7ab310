"""What the doctor says: a verdict on each thing that it looked at, in a sentence, with the fix."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mita_otel.doctor.facts.model import Facts
from mita_otel.redaction import redact_text


class Verdict(StrEnum):
    """How something is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


EXIT_CODES: Final = {Verdict.OK: 0, Verdict.WARNING: 1, Verdict.ERROR: 2}
"""Exit status of the command by the worst verdict."""

_ORDER: Final = tuple(Verdict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and its reason.

    Attributes:
        sentence: what is so; never holds a secret.
        fix: what to do, naming the setting; empty only where nothing is wrong.
    """

    verdict: Verdict
    sentence: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A judgement, and the name of the check that made it."""

    check: str
    verdict: Verdict
    sentence: str
    fix: str = ""


def ok(sentence: str) -> Judgement:
    """Nothing is wrong."""
    return Judgement(Verdict.OK, sentence)


def warning(sentence: str, fix: str) -> Judgement:
    """It works, but not as it should or not for ever."""
    return Judgement(Verdict.WARNING, sentence, fix)


def error(sentence: str, fix: str) -> Judgement:
    """Telemetry is lost, wrong or missing."""
    return Judgement(Verdict.ERROR, sentence, fix)


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the table of checks.

    Attributes:
        name: one word.
        looks_at: what it looks at, for the reference page.
        judge: pure; says nothing where there are no facts to judge.
    """

    name: str
    looks_at: str
    judge: Callable[[Facts], Iterable[Judgement]]

    def __call__(self, facts: Facts) -> list[Finding]:
        """Judge the facts; what a sentence repeats of them is masked, and kept to one line."""
        return [Finding(self.name, made.verdict, _shown(made.sentence), made.fix) for made in self.judge(facts)]


def _shown(sentence: str) -> str:
    return redact_text("".join(character if character.isprintable() else " " for character in sentence))


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst of the verdicts; without any, nothing is wrong."""
    return max((finding.verdict for finding in findings), key=_ORDER.index, default=Verdict.OK)
