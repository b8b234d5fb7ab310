"""Under which conditions was measured: what a reader needs to judge the figures."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from benchmarks.overhead import machine
from benchmarks.overhead.environments import REQUIREMENTS
from benchmarks.overhead.figures import Figure, figure
from benchmarks.overhead.rounds import Effort, Measured
from benchmarks.overhead.variants import OURS, VARIANTS

_NAMED: Final = {
    "vanilla": "opentelemetry-distro",
    "elastic": "elastic-opentelemetry",
    "splunk": "splunk-opentelemetry",
    "logfire": "logfire",
    "ddtrace": "ddtrace",
}
"""The package that each distribution is known by."""
_APPLICATION: Final = ("fastapi", "uvicorn", "sqlalchemy", "asyncpg", "redis", "httpx")


@dataclass(frozen=True, slots=True)
class Conditions:
    """The machine, its state, the versions.

    Attributes:
        processor: its name.
        python: its version.
        versions: of distributions and of the application's libraries.
        effort: how much was measured.
        calibration_ms: of the fixed loop on the server's core, one a run.
        busy: wall time of that loop divided by its time on the core: above 1.05 others used the core.
        load: averages before and after.
        day: of the measurement, in UTC.
        niceness: the order in which everything here came, between -20 (before others) and 19.
    """

    processor: str
    python: str
    versions: Mapping[str, str]
    effort: Effort
    calibration_ms: Figure
    busy: Figure
    load: tuple[float, float]
    day: str = ""
    niceness: int = 0

    @classmethod
    def of(cls, measured: Measured, effort: Effort) -> Self:
        """Return the conditions of one measurement."""
        names = {VARIANTS[name].distribution for name in measured.looks}
        return cls(
            processor=machine.model(),
            python=platform.python_version(),
            versions=_versions(names),
            effort=replace(effort, rounds=measured.rounds),
            calibration_ms=figure([run.calibration.cpu_ms for run in measured.runs]),
            busy=figure([run.calibration.busy for run in measured.runs]),
            load=measured.load,
            day=datetime.now(UTC).date().isoformat(),
            niceness=machine.niceness(),
        )


def _versions(distributions: set[str]) -> dict[str, str]:
    libraries = pins(REQUIREMENTS / "bare.txt")
    found = {name: libraries[name] for name in _APPLICATION}
    for distribution, package in _NAMED.items():
        if distribution in distributions:
            found[package] = pins(REQUIREMENTS / f"{distribution}.txt")[package]
    return found | ({"mita-otel": f"at {machine.commit()}"} if OURS in distributions else {})


def pins(path: Path) -> dict[str, str]:
    """Return the version of each package that a file of pinned requirements names."""
    lines: Sequence[str] = path.read_text().splitlines()
    return dict(line.split("==", 1) for line in lines if "==" in line)
