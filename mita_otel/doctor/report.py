"""What the doctor hands back, and its form as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from mita_otel.doctor.checks import CHECKS
from mita_otel.doctor.facts.model import Facts, Live
from mita_otel.doctor.model import EXIT_CODES, Finding, Verdict, error, worst
from mita_otel.doctor.settings import Row, rows
from mita_otel.installed import version


@dataclass(frozen=True, slots=True)
class Report:
    """The findings, the settings they rest on, and what a running service counted.

    Attributes:
        where: `command` for the settings of a shell, `service` for a running service's.
    """

    where: Literal["command", "service"]
    findings: tuple[Finding, ...]
    settings: tuple[Row, ...]
    live: Live | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of all."""
        return worst(self.findings)

    @property
    def exit_code(self) -> int:
        """0 if all is well, 1 if there are warnings only, 2 if there are errors."""
        return EXIT_CODES[self.verdict]

    def as_json(self) -> str:
        """Return one document; the form that `from_json` reads."""
        document = {
            "verdict": self.verdict,
            "exit_code": self.exit_code,
            "version": version("mita-otel"),
            "where": self.where,
            "findings": [asdict(finding) for finding in self.findings],
            "settings": [asdict(row) for row in self.settings],
            "live": None if self.live is None else asdict(self.live),
        }
        return json.dumps(document, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Report":
        """Read a report of a service; what it counted is in its findings.

        Raises:
            ValueError: it is none.
        """
        try:
            document: Mapping[str, Any] = json.loads(text)
            findings = [
                Finding(one["check"], Verdict(one["verdict"]), one["sentence"], one["fix"])
                for one in document["findings"]
            ]
            settings = [Row(**row) for row in document["settings"]]
            return cls("service" if document["where"] == "service" else "command", tuple(findings), tuple(settings))
        except (KeyError, TypeError) as mistake:
            raise ValueError(f"not a report of the doctor: {mistake!r}") from mistake


def diagnose(facts: Facts, variables: Mapping[str, str]) -> Report:
    """Judge the facts by every check."""
    findings = tuple(finding for check in CHECKS for finding in _judged(check, facts))
    return Report("service" if facts.live else "command", findings, rows(variables), facts.live)


def _judged(check: Any, facts: Facts) -> list[Finding]:
    try:
        found: list[Finding] = check(facts)
    except Exception as fault:  # noqa: BLE001 - a check that fails must not cost the others their word
        made = error(f"the check itself failed: {type(fault).__name__}: {fault}", "report it to mita_otel")
        return [Finding(check.name, made.verdict, made.sentence, made.fix)]
    return found
