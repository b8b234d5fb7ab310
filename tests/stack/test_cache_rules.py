"""The hit rate, as the real Prometheus computes it from the rule."""

import subprocess
from pathlib import Path

import pytest
import yaml

from mita_otel.stack import versions

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

RULES = versions.root() / "collector" / "prometheus" / "rules" / "derived.yml"


def _counted(status: str, each_minute: int, *, operation: str = "get", instance: str = "a") -> dict[str, str]:
    labels = f'service_name="shop", instance="{instance}", cache="rates", operation="{operation}", status="{status}"'
    return {"series": f"mita_cache_operations_total{{{labels}}}", "values": f"0+{each_minute}x10"}


@pytest.mark.parametrize(
    ("counted", "rate"),
    [
        ([_counted("hit", 30), _counted("miss", 10), _counted("error", 50)], 0.75),
        (
            [
                _counted("hit", 30),
                _counted("miss", 10),
                _counted("hit", 0, instance="b"),
                _counted("miss", 40, instance="b"),
            ],
            0.375,
        ),
        ([_counted("hit", 0), _counted("miss", 10)], 0),
        ([_counted("hit", 10), _counted("miss", 0), _counted("success", 10, operation="set")], 1),
        ([_counted("hit", 0), _counted("miss", 0)], None),
    ],
    ids=["three quarters", "two processes", "misses alone", "hits alone", "no lookup"],
)
def test_the_hit_rate_is_that_of_all_processes_lookups(
    binaries: dict[str, Path], tmp_path: Path, counted: list[dict[str, str]], rate: float | None
) -> None:
    sample = {"labels": '{__name__="mita_cache_hit_rate", service_name="shop", cache="rates"}', "value": rate}
    case = {
        "interval": "1m",
        "input_series": counted,
        "promql_expr_test": [
            {"expr": "mita_cache_hit_rate", "eval_time": "10m", "exp_samples": [] if rate is None else [sample]}
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [case]}))
    done = subprocess.run([binaries["promtool"], "test", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
