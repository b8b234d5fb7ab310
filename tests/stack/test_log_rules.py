"""Loki's rules, on lines that the distribution really writes: each counts what it is about, and nothing else."""

import subprocess
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

from mita_otel.alerts import LOGS
from mita_otel.stack import NativeStack
from tests.fixtures.polling import eventually
from tests.fixtures.service import PROGRAMS, ROOT, clean_environment

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(120)]

COUNTED: Final = {
    "MitaErrorLogBurst": 7,
    "MitaSuspiciousAuthenticationPattern": 3,
    "MitaDatabaseErrorsLogged": 2,
    "MitaAuditFailure": 1,
    "MitaAuditTampering": 1,
}
"""Lines of `logged` and of the verification; those of the last three are errors, too, besides three others."""


def test_the_ruler_has_loaded_every_rule(stack: NativeStack) -> None:
    stack.up(standard=False)

    def loaded() -> dict[str, str]:
        answer = httpx.get(f"{stack.endpoints.loki}/prometheus/api/v1/rules", trust_env=False).json()
        return {rule["name"]: rule["health"] for group in answer["data"]["groups"] for rule in group["rules"]}

    eventually(lambda: loaded() == dict.fromkeys(COUNTED, "ok"))
    assert set(COUNTED) == {alert.name for alert in LOGS}


def test_each_rule_counts_the_lines_that_it_is_about(stack: NativeStack, tmp_path: Path) -> None:
    stack.up(standard=False)
    service = f"logged-{uuid4().hex[:8]}"
    environment = clean_environment(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": stack.endpoints.otlp_http,
            "OTEL_SERVICE_NAME": service,
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=drill",
            "MITA_LOG_FORMAT": "none",
            "PYTHONPATH": ".",
        }
    )

    def run(*words: str) -> int:
        command = [str(PROGRAMS / "opentelemetry-instrument"), *words]
        return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True).returncode

    assert run("python", "-m", "tests.stack.logged", str(tmp_path / "audit.db")) == 0
    assert run("mita-otel", "audit", "verify", "--database", f"sqlite:///{tmp_path / 'audit.db'}") == 1

    def asked(expression: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{stack.endpoints.loki}/loki/api/v1/query", params={"query": expression}, trust_env=False)
        assert answer.status_code == 200, answer.text
        found = answer.json()["data"]["result"]
        return [row for row in found if row["metric"]["service_name"] == service]

    def counted() -> dict[str, float]:
        rows = {alert.name: asked(alert.expression.rpartition(" > ")[0]) for alert in LOGS}
        return {name: sum(float(row["value"][1]) for row in found) for name, found in rows.items()}

    eventually(lambda: counted() == COUNTED)
    for alert in LOGS:
        (row,) = asked(alert.expression.rpartition(" > ")[0])
        assert set(row["metric"]) == set(alert.by)
