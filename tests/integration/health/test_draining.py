"""The end of a served process, as a load balancer sees it."""

import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceProcess


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_port_stays_open_while_the_process_says_that_it_is_not_ready(
    start_service: Callable[..., ServiceProcess], tmp_path: Path, workers: str
) -> None:
    url = f"http://127.0.0.1:{find_free_port()}"
    service = start_service(
        ["uvicorn", "app.main:app", "--port", url.rpartition(":")[2], "--workers", workers],
        {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'finance.db'}",
            "AUDIT_FOLDER": str(tmp_path),
            "JWT_SECRET": "s" * 40,
            "MITA_DRAIN_SECONDS": "2",
        },
        url=f"{url}/health/live",
    )
    eventually(lambda: httpx.get(f"{url}/health/ready").status_code == 200)
    service.terminate(signal.SIGTERM)
    unready = {"status": "unhealthy", "reason": "draining"}
    eventually(lambda: httpx.get(f"{url}/health/ready").json() == unready)
    # Requests that were on their way are served.
    assert httpx.get(f"{url}/api/transactions/categories").status_code in {200, 401}
    # What uvicorn ends with when it was told to, also without us: the signal itself, or its supervisor's zero.
    assert service.wait() in {0, -signal.SIGTERM}
