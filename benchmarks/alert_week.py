"""A week of what is normal, through every rule: `python -m benchmarks.alert_week [days]` counts false alarms.

None of it is worth a word; whatever fires is a false alarm, the dead man's switch excepted.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from benchmarks.alert_noise import STEP, Week, week
from mita_otel.stack import versions

SWITCH: Final = "MitaWatchdog"
"""Fires always."""

_FIRED: Final = re.compile(r"\{(.*?alertname=.*?)\} ([0-9.E+-]+)")


@dataclass(frozen=True)
class Part:
    """Rules that are evaluated together.

    Attributes:
        files: of rules.
        groups: of rules, in the order of their evaluation.
        every: steps between two evaluations; as often as what they ask for needs.
        state: of alerts that count. Where evaluations are rare, what is pending would fire between two of them.
    """

    files: tuple[str, ...]
    groups: tuple[str, ...]
    every: int
    state: str = "firing"

    def rules(self) -> str:
        """Return the text of its rules."""
        return "".join((_folder() / file).read_text() for file in self.files)


PARTS: Final = (
    Part(
        ("slo.yml", "alerts-slo.yml"),
        ("mita-slo-events", "mita-slo-burn", "mita-slo-budget", "mita-slo-alerting", "mita-alerts-slo"),
        20,
        "firing|pending",
    ),
    Part(
        ("alerts-signals.yml", "alerts-availability.yml", "alerts-pipeline.yml"),
        ("mita-alerts-signals", "mita-alerts-availability", "mita-alerts-pipeline"),
        1,
    ),
    Part(
        ("alerts-performance.yml", "alerts-resources.yml", "alerts-business.yml"),
        ("mita-alerts-performance", "mita-alerts-resources", "mita-alerts-business"),
        4,
    ),
)


def _folder() -> Path:
    return versions.root() / "collector" / "prometheus" / "rules"


def _test(part: Part, made: Week) -> Mapping[str, Any]:
    length = made.steps * STEP
    fired = f'ALERTS{{alertstate=~"{part.state}", alertname!="{SWITCH}"}}'
    asked = f"count without (alertstate) (count_over_time({fired}[{length}s]))"
    return {
        "rule_files": [str(_folder() / file) for file in part.files],
        "evaluation_interval": f"{part.every * STEP}s",
        "group_eval_order": list(part.groups),
        "tests": [
            {
                # A sample a minute is enough for windows of 5 minutes.
                "interval": f"{min(part.every, 4) * STEP}s",
                "input_series": list(made.written(part.rules(), min(part.every, 4))),
                "promql_expr_test": [{"expr": asked, "eval_time": f"{length - 60}s", "exp_samples": []}],
            }
        ],
    }


def false_alarms(hours: int, promtool: Path, begin: int = 0) -> Iterator[str]:
    """Return the labels of whatever fired.

    Args:
        hours: how many.
        promtool: the program.
        begin: the hour that they begin with, since Monday's midnight.

    Raises:
        RuntimeError: promtool could not evaluate the rules.
    """
    made = week(hours, begin)
    with tempfile.TemporaryDirectory() as folder:
        for number, part in enumerate(PARTS):
            path = Path(folder) / f"{number}.yml"
            path.write_text(yaml.dump(_test(part, made), Dumper=yaml.CSafeDumper, width=1 << 30))
            done = subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True, check=False)
            told = [found[1] for found in _FIRED.finditer(done.stdout + done.stderr)]
            if done.returncode and not told:
                raise RuntimeError(f"promtool says: {(done.stdout + done.stderr)[-2000:]}")
            yield from told


def main() -> None:
    from mita_otel.stack.build import Cache, build_all, default_cache  # noqa: PLC0415 - only the command needs it

    days = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    alarms = list(false_alarms(24 * days, build_all(Cache(default_cache()))["promtool"]))
    print(f"{len(alarms)} false alarms in {days} days of normal noise")
    for alarm in alarms:
        print(alarm)


if __name__ == "__main__":
    main()
