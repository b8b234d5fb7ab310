"""The service as a process: started with nothing, ended in the middle of its work."""

import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ROOT, ServiceProcess
from tests.unit.app.receipts import png


def test_the_bare_command_serves_everything_on_a_file_and_the_process_itself(
    tmp_path: Path, start_service: Callable[..., ServiceProcess], eventually: Callable[..., Any]
) -> None:
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    command = ["uvicorn", "app.main:app", "--port", str(port)]
    process = start_service(command, {"PYTHONPATH": str(tmp_path)}, cwd=tmp_path, url=f"{url}/health")
    with httpx.Client(base_url=url, timeout=30) as client:
        user = {"email": "jane@example.com", "password": "correct horse"}
        token = client.post("/api/auth/register", json=user).json()
        client.headers["authorization"] = f"Bearer {token['access_token']}"
        assert client.post("/api/auth/refresh", json={"refresh_token": token["refresh_token"]}).status_code == 200
        lunch = {"amount": "12.50", "category": "food"}
        assert client.post("/api/transactions", json=lunch).status_code == 201
        assert client.post("/api/transactions/bulk", json={"items": [lunch] * 3}).json()["created"] == 3
        receipt = client.post("/api/receipts", files={"file": ("a", png("SHOP\nTOTAL 5.00"))}).json()
        assert client.post(f"/api/receipts/{receipt['id']}/confirm", json={}).status_code == 201
        goal = client.post("/api/goals", json={"name": "bicycle", "target": "100"}).json()
        client.patch("/api/users/me", json={"notify_by": "none"})
        assert client.post(f"/api/goals/{goal['id']}/contributions", json={"amount": "100"}).json()["reached_at"]
        assert client.get("/api/calendar").json()["spent"] == "55.00"
        summary = eventually(lambda: fresh(client), timeout=20)
        assert summary["months"][0]["total"] == "55.00"
        assert [each["state"] for each in client.get("/api/notifications").json()["items"]] == ["delivered"]
    assert (tmp_path / "data" / "mita.db").exists()
    assert "Traceback" not in process.stderr


def fresh(client: httpx.Client) -> dict[str, Any] | None:
    found: dict[str, Any] = client.get("/api/analytics/summary").json()
    return None if found["stale"] else found


def test_a_service_that_is_told_to_end_ends_though_a_message_hangs(
    postgres_backend: dict[str, Any],
    standin: str,
    start_service: Callable[..., ServiceProcess],
    eventually: Callable[..., Any],
) -> None:
    port = find_free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        "DATABASE_URL": postgres_backend["database_url"],
        "MESSAGES_API_URL": standin,
        "JWT_SECRET": "s" * 40,
    }
    command = ["uvicorn", "app.main:app", "--port", str(port)]
    process = start_service(command, environment, url=f"{url}/health")
    httpx.put(f"{standin}/behaviour", json={"latency": 4, "path": "/v1/messages"})
    with httpx.Client(base_url=url, timeout=30) as client:
        user = {"email": "jane@example.com", "password": "correct horse"}
        client.headers["authorization"] = (
            f"Bearer {client.post('/api/auth/register', json=user).json()['access_token']}"
        )
        goal = client.post("/api/goals", json={"name": "bicycle", "target": "1"}).json()
        client.post(f"/api/goals/{goal['id']}/contributions", json={"amount": "1"})
        assert client.get("/api/notifications").json()["items"][0]["state"] == "pending"
    began = time.monotonic()
    process.terminate(signal.SIGTERM)
    # What was on its way is finished, or cut off after 5 s; either way the row is there for the next process.
    assert process.wait(15) in {0, -signal.SIGTERM}
    assert time.monotonic() - began < 12
    assert "Traceback" not in process.stderr
