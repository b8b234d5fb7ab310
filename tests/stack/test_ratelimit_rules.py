"""What is derived of rate limits, as the real Prometheus computes it from the rules."""

import subprocess
from pathlib import Path

import pytest
import yaml

from mita_otel.stack import versions

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

RULES = versions.root() / "collector" / "prometheus" / "rules" / "derived.yml"


def _counted(result: str, each_minute: int, instance: str = "a") -> dict[str, str]:
    labels = f'service_name="shop", instance="{instance}", policy="login", result="{result}"'
    return {"series": f"mita_rate_limit_requests_total{{{labels}}}", "values": f"0+{each_minute}x10"}


def _expected(expression: str, samples: dict[str, float]) -> dict[str, object]:
    return {
        "expr": expression,
        "eval_time": "10m",
        "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
    }


def test_blocked_requests_are_a_share_and_a_sum(binaries: dict[str, Path], tmp_path: Path) -> None:
    counted = [
        *(_counted("allowed", 40), _counted("blocked", 10), _counted("fallback_blocked", 5), _counted("error", 9)),
        *(_counted("allowed", 0, "b"), _counted("blocked", 25, "b"), _counted("fallback_blocked", 0, "b")),
    ]
    labels = 'service_name="shop", policy="login"'
    blocked = {"a": 150.0, "b": 250.0}
    case = {
        "interval": "1m",
        "input_series": counted,
        "promql_expr_test": [
            _expected("mita_rate_limit_hit_rate", {f'{{__name__="mita_rate_limit_hit_rate", {labels}}}': 0.5}),
            *(
                _expected(
                    name, {f'{{__name__="{name}", instance="{at}", {labels}}}': sum_ for at, sum_ in blocked.items()}
                )
                for name in ("mita_rate_limit_blocked_total", "mita_rate_limit_exceeded_total")
            ),
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [case]}))
    done = subprocess.run([binaries["promtool"], "test", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
