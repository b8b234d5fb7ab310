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


BY_STAMPS: Final = "mita_alerts:stamp:seconds"
"""Alerts that ask for it have to be evaluated as often as it is recorded."""


@dataclass(frozen=True)
class Part:
    """Rules that are evaluated together.

    Attributes:
        files: of rules.
        every: steps between two evaluations; as often as what they ask for needs.
        state: of alerts that count. Where evaluations are rare, what is pending would fire between two of them.
        by_stamps: whether only rules that ask for the stamps of processes are meant, or only others; None for all.
    """

    files: tuple[str, ...]
    every: int
    state: str = "firing"
    by_stamps: bool | None = None

    def groups(self) -> list[dict[str, Any]]:
        """Return its groups of rules, in the order of their evaluation."""
        read = [yaml.load((_folder() / file).read_text(), yaml.CSafeLoader)["groups"] for file in self.files]
        groups = [group for each in read for group in each]
        return [{**group, "rules": [rule for rule in group["rules"] if self._means(rule)]} for group in groups]

    def _means(self, rule: Mapping[str, str]) -> bool:
        return self.by_stamps is None or "record" in rule or self.by_stamps == (BY_STAMPS in rule["expr"])


PARTS: Final = (
    # Sums of five minutes, every five minutes.
    Part(("slo.yml", "alerts-slo.yml"), 20, "firing|pending"),
    Part(("alerts-signals.yml", "alerts-availability.yml", "alerts-pipeline.yml"), 1),
    Part(("alerts-signals.yml", "alerts-performance.yml"), 1, by_stamps=True),
    Part(("alerts-performance.yml",), 4, by_stamps=False),
    Part(("alerts-resources.yml", "alerts-business.yml"), 4),
)


def _folder() -> Path:
    return versions.root() / "collector" / "prometheus" / "rules"


def _written(part: Part, made: Week, folder: Path) -> Path:
    """Write a part's rules and samples down; return what promtool is to read."""
    groups, length = part.groups(), made.steps * STEP
    rules = yaml.safe_dump({"groups": groups})
    (folder / "rules.yml").write_text(rules)
    fired = f'ALERTS{{alertstate=~"{part.state}", alertname!="{SWITCH}"}}'
    asked = f"count without (alertstate) (count_over_time({fired}[{length}s]))"
    # A sample a minute is enough for windows of 5 minutes.
    shown = min(part.every, 4)
    test = {
        "interval": f"{shown * STEP}s",
        "input_series": list(made.written(rules, shown)),
        "promql_expr_test": [{"expr": asked, "eval_time": f"{length - 60}s", "exp_samples": []}],
    }
    content = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{part.every * STEP}s",
        "group_eval_order": [group["name"] for group in groups],
        "tests": [test],
    }
    path = folder / "test.yml"
    path.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, width=1 << 30))
    return path


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
        for part in PARTS:
            path = _written(part, made, Path(folder))
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
