"""A service on PostgreSQL and Redis, as it is seen from outside: what its databases and its cache are told about."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import eventually

SERVER, CLIENT = 2, 3
OLDER = Path(sys.prefix) / "overlays" / "fastapi-0.141"
MASKED = "SELECT pg_sleep(?), CAST($1 AS int)"


@pytest.fixture
def crowded(launch: Callable[..., Any], postgres_url: str, redis_url: str) -> Callable[..., Any]:
    """Start the service in need."""
    command = ["uvicorn", "tests.integration.service.crowded:app", "--port", "{port}"]
    url = postgres_url.replace("postgresql://", "postgresql+asyncpg://")
    return lambda **variables: launch(
        command, DATABASE_URL=url, REDIS_URL=redis_url, MITA_SLOW_QUERY_SECONDS="0.02", MITA_N_PLUS_ONE="3", **variables
    )


def _events(receiver: OtlpReceiver, kind: int, name: str) -> list[dict[str, Any]]:
    spans = [span for span in receiver.spans if span["kind"] == kind]
    return [event["attributes"] for span in spans for event in span["events"] if event["name"] == name]


@pytest.mark.parametrize("variables", [{}, {"PYTHONPATH": f"{OLDER}:."}], ids=["native", "contrib"])
def test_a_statement_in_a_loop_is_marked_on_the_request(
    crowded: Callable[..., Any], otlp_receiver: OtlpReceiver, variables: dict[str, str]
) -> None:
    service = crowded(**variables)
    service.client.get("/repeats/5")
    service.client.get("/repeats/2")
    service.stop()
    assert _events(otlp_receiver, SERVER, "mita.n_plus_one") == [
        {"db.query.text": MASKED, "mita.n_plus_one.executions": 5}
    ]
    [point] = otlp_receiver.latest_points("mita.database.n_plus_one")
    assert (point["attributes"], point["value"]) == ({"http.route": "/repeats/{times}"}, 1)


def test_a_slow_query_is_logged_with_its_plan_in_the_trace_of_its_request(
    crowded: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = crowded(MITA_SLOW_QUERY_PLAN="true")
    service.client.get("/repeats/2", headers={"x-correlation-id": "order-42"})

    def logged() -> list[dict[str, Any]]:
        return [record for record in otlp_receiver.log_records if record["scope"] == "mita_otel.database"]

    [record] = eventually(logged)
    service.stop()
    slow = [span for span in otlp_receiver.spans if span["kind"] == CLIENT]
    assert (record["trace_id"], record["span_id"]) == (slow[0]["trace_id"], slow[0]["span_id"])
    assert record["attributes"]["correlation_id"] == "order-42"
    assert record["attributes"]["db.query.text"] == MASKED
    assert record["attributes"]["mita.slow_query.plan"].startswith("Result  (cost=")
    assert len(_events(otlp_receiver, CLIENT, "mita.slow_query")) == 2
    assert [span["name"] for span in slow] == ["SELECT", "SELECT"]


def test_a_cached_answer_is_computed_once_and_counted(crowded: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = crowded()
    assert [service.client.get("/answers/1").json() for _ in range(3)] == [{"answer": 2}] * 3
    service.stop()
    done = {
        (point["attributes"]["operation"], point["attributes"]["status"]): point["value"]
        for point in otlp_receiver.latest_points("mita.cache.operations")
        if point["value"]
    }
    assert done == {("get", "miss"): 1, ("set", "success"): 1, ("get", "hit"): 2}
    [size] = otlp_receiver.latest_points("mita.cache.size")
    assert size["value"] > 100_000


def test_a_statement_that_changes_nothing_and_a_rollback_are_told_apart(
    crowded: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = crowded()
    service.client.get("/crowd")  # reads, and lets go
    service.client.get("/repeats/1")  # rolls back
    service.stop()
    ended = {p["attributes"]["status"]: p["value"] for p in otlp_receiver.latest_points("mita.database.transactions")}
    assert ended == {"committed": 0, "rolled_back": 1, "unknown": 0}
    [up] = otlp_receiver.latest_points("mita.database.up")
    assert up["value"] == 1
