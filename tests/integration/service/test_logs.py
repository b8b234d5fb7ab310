"""Logs of a running service: streams, files, slow requests, and levels that agree with spans."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver


def test_slow_requests_are_in_the_files_and_over_otlp_and_agree_with_their_spans(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver, tmp_path: Path
) -> None:
    service = launch(
        MITA_LOG_DIRECTORY=str(tmp_path),
        MITA_SLOW_REQUEST_SECONDS="0.000001",
        MITA_TRACE_URL="https://traces.test/{trace_id}",
    )
    service.client.get("/items/7?token=s3cr3t&page=2")
    service.client.get("/fails")
    assert service.stop() == -15

    slow = {
        record["attributes"]["http.route"]: record
        for record in otlp_receiver.log_records
        if record["body"].startswith("slow request")
    }
    spans = {span["attributes"]["http.route"]: span for span in otlp_receiver.spans}
    assert slow["/items/{item}"]["severity"] == "WARN"
    assert slow["/fails"]["severity"] == "ERROR"
    assert spans["/items/{item}"]["status"]["code"] == 0
    assert spans["/fails"]["status"]["code"] == 2
    for route, record in slow.items():
        assert record["trace_id"] == spans[route]["trace_id"]
        assert record["attributes"]["trace.url"] == f"https://traces.test/{record['trace_id']}"
        assert record["attributes"]["mita.log.stream"] == "performance"
    assert slow["/items/{item}"]["attributes"]["url.query"] == "token=[REDACTED]&page=2"

    lines = [json.loads(line) for line in (tmp_path / "performance.log").read_text().splitlines()]
    assert {line["http.route"] for line in lines if "http.route" in line} >= {"/items/{item}", "/fails"}
    errors = [json.loads(line) for line in (tmp_path / "errors.log").read_text().splitlines()]
    assert {line["level"] for line in errors} == {"ERROR"}
    assert "4111 1111" not in "".join(path.read_text() for path in tmp_path.glob("*.log"))


@pytest.mark.parametrize("fast", ["true", "false"])
def test_sigterm_loses_no_line_on_either_path(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver, fast: str
) -> None:
    service = launch(MITA_FAST_PATH=fast)
    for number in range(100):
        service.client.get(f"/items/{number}")
    assert service.stop() == -15

    bodies = [record["body"] for record in otlp_receiver.log_records if record["body"].startswith("item ")]
    assert bodies == [f"item {number} read" for number in range(100)]
    lines = [json.loads(line)["message"] for line in service.process.stdout.splitlines() if line.startswith("{")]
    assert [line for line in lines if line.startswith("item ")] == bodies
    assert {name for name in otlp_receiver.metric_names if name.startswith("mita.log")} == {"mita.log.lost"}
