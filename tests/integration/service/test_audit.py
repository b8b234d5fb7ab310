"""A service's audit log and its telemetry: evidence goes out, and the log's own work makes no traces."""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import eventually

KEY = "k1:" + "s" * 40


def test_records_join_traces_and_checkpoints_leave_the_host(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver, tmp_path: Path
) -> None:
    database = tmp_path / "app.db"
    service = launch(
        ["uvicorn", "app.main:app", "--port", "{port}"], DATABASE_URL=f"sqlite:///{database}", JWT_SECRET="s" * 40,
        AUDIT_FOLDER=str(tmp_path / "audit"), MITA_AUDIT_SIGNING_KEY=KEY, OTEL_METRIC_EXPORT_INTERVAL="300",
        BACKGROUND_WORK="false",
    )  # fmt: skip
    answer: httpx.Response = service.client.post(
        "/api/auth/register", json={"email": "jane@example.com", "password": "correct horse"}
    )
    assert answer.status_code == 201
    eventually(lambda: _points(otlp_receiver, "written") >= 3)
    service.stop()

    records = _records(database)
    registered = next(record for record in records if record["action"] == "user.registered")
    names = [span["name"] for span in otlp_receiver.spans if span["trace_id"] == registered["trace_id"]]
    assert "POST /api/auth/register" in names
    assert registered["correlation_id"] == answer.headers["x-correlation-id"]
    statements = [str(span["attributes"].get("db.query.text")) for span in otlp_receiver.spans]
    assert [statement for statement in statements if re.search(r"(INTO|FROM) audit_", statement)] == []

    stated = [entry["attributes"] for entry in otlp_receiver.log_records if entry["body"] == "audit checkpoint"]
    assert stated[-1]["audit.checkpoint.seq"] == records[-1]["seq"]
    assert stated[-1]["mita.log.stream"] == "audit"
    (kept,) = _rows(database, "SELECT proof FROM audit_checkpoints ORDER BY seq DESC LIMIT 1")
    assert stated[-1]["audit.checkpoint.proof"] == kept[0]


def _points(receiver: OtlpReceiver, status: str) -> int:
    points = receiver.latest_points("mita.audit.events")
    return sum(int(point["value"]) for point in points if point["attributes"]["status"] == status)


def _rows(database: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(database)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def _records(database: Path) -> list[dict[str, Any]]:
    return [json.loads(row[0]) for row in _rows(database, "SELECT body FROM audit_logs ORDER BY chain, seq")]
