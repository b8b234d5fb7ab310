"""What spent a budget, asked of the real Prometheus, with a trace that the real Jaeger has."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from mita_otel.cli.slo import app
from mita_otel.stack import NativeStack
from tests.fixtures.polling import eventually
from tests.fixtures.service import ROOT, ServiceFactory
from tests.stack.finance import serve_finance

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]

FILE = str(ROOT / "collector" / "slo" / "mita.yaml")


def test_the_top_spender_is_named_with_a_trace_that_jaeger_has(
    stack: NativeStack, start_service: ServiceFactory, postgres_url: str
) -> None:
    name, url, external = serve_finance(stack, start_service, postgres_url, MITA_SLO_FILE=FILE)
    failed = _spend(url, external)

    def explained() -> dict[str, Any]:
        words = ("explain", "--prometheus", stack.endpoints.prometheus, "--service", name, "--json")
        result = CliRunner().invoke(app, words, env={"MITA_SLO_FILE": FILE, "MITA_JAEGER_URL": stack.endpoints.jaeger})
        assert result.exit_code == 0, result.stderr
        told = {each["id"]: each for each in json.loads(result.stdout)["slos"]}
        complete = ("transactions-availability", "transactions-correctness", "service-availability")
        is_complete = all(each in told and told[each]["bad"] == len(failed) for each in complete)
        return told if is_complete and told[complete[0]]["contributors"]["route"][0]["traces"] else {}

    told = eventually(explained, timeout=60, interval=0.5)
    # The request, and what the code told of within it.
    for each in ("service-availability", "transactions-correctness"):
        top = {dimension: found[0] for dimension, found in told[each]["contributors"].items()}
        assert (top["route"]["contributor"], top["route"]["share"]) == ("/api/transactions", 1)
        assert (top["dependency"]["contributor"], top["dependency"]["bad"]) == ("rates", len(failed))
    [trace, *_] = told["transactions-availability"]["contributors"]["route"][0]["traces"]
    assert trace["trace_id"] in failed
    assert trace["url"] == f"{stack.endpoints.jaeger}/trace/{trace['trace_id']}"
    eventually(lambda: "POST /api/transactions" in _operations(stack, trace["trace_id"]))


def _spend(url: str, external: str) -> list[str]:
    """Let one route fail, where others go well; return the ids of the traces that failed."""
    with httpx.Client(base_url=url, timeout=30) as client:
        user = {"email": f"{uuid4().hex}@example.com", "password": "correct horse", "currency": "USD"}
        token = client.post("/api/auth/register", json=user).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        httpx.put(f"{external}/behaviour", json={"error_rate": 1})
        failed = []
        for _ in range(3):
            assert client.get("/api/goals").status_code == 200
            purchase = {"amount": "1", "currency": "EUR", "category": "food"}
            answer = client.post("/api/transactions", json=purchase)
            assert answer.status_code == 503
            failed.append(answer.headers["traceresponse"].split("-")[1])
        return failed


def _operations(stack: NativeStack, trace_id: str) -> set[str]:
    answer = httpx.get(f"{stack.endpoints.jaeger}/api/traces/{trace_id}")
    traces = answer.json()["data"] or [] if answer.status_code == 200 else []
    return {span["operationName"] for trace in traces for span in trace["spans"]}
