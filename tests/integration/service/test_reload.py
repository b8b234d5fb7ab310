"""Development with `--reload`: each restart delivers what was answered before it, and the supervisor adds nothing."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import eventually

_MODULE = """
import logging

from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/items/{item}")
async def read_item(item: str) -> int:
    logging.getLogger("example").info("item %s read", item)
    return VERSION
"""

RELOADER_LOGGERS = {"uvicorn.error", "watchfiles.main"}
"""What a supervisor says for itself: that it starts, what has changed, that it stops."""


class Reloading:
    """A service whose one file can be changed, and the ids of the requests that each version has answered."""

    def __init__(self, launch: Callable[..., Any], folder: Path, **variables: str) -> None:
        folder = folder / "code"  # nothing else is written there
        folder.mkdir()
        self._file = folder / "reloaded.py"
        self.write(1)
        where = ["--app-dir", str(folder), "--reload-dir", str(folder)]
        command = ["uvicorn", "reloaded:app", "--port", "{port}", "--reload", *where]
        self.service = launch(command, OTEL_METRIC_EXPORT_INTERVAL="500", **variables)
        self.answered: dict[int, set[str]] = {}

    def write(self, version: int) -> None:
        # Of another length each time: Python knows what it has compiled by size and whole seconds.
        self._file.write_text(_MODULE.replace("VERSION", str(version)) + "#" * version)

    def wait_for(self, version: int, requests: int = 30) -> None:
        eventually(lambda: len(self.answered.get(version, ())) >= requests, timeout=30)

    @property
    def ids(self) -> set[str]:
        return set().union(*self.answered.values())

    @contextmanager
    def load(self) -> Iterator[None]:
        """Send requests from two threads, one after the other, for as long as the block lasts."""
        stop = threading.Event()
        threads = [threading.Thread(target=self._send, args=(name, stop)) for name in "ab"]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _send(self, name: str, stop: threading.Event) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            own = f"{name}-{number}"
            try:
                answer = httpx.get(f"{self.service.url}/items/{own}", headers={"x-correlation-id": own}, timeout=20)
            except httpx.HTTPError:
                continue
            if answer.status_code == 200:
                self.answered.setdefault(answer.json(), set()).add(own)


@pytest.fixture
def reloading(launch: Callable[..., Any], tmp_path: Path) -> Reloading:
    return Reloading(launch, tmp_path)


def _interrupt_all(reloading: Reloading) -> None:
    """Press Ctrl-C: a terminal tells the supervisor and its worker at once."""
    os.killpg(reloading.service.process.pid, signal.SIGINT)


def _terminate(reloading: Reloading) -> None:
    reloading.service.process.terminate()


@pytest.mark.parametrize("end", [_terminate, _interrupt_all], ids=["SIGTERM", "Ctrl-C"])
def test_what_each_version_of_a_changed_file_has_answered_arrives(
    reloading: Reloading, otlp_receiver: OtlpReceiver, end: Callable[[Reloading], None]
) -> None:
    with reloading.load():
        for version in (2, 3):
            reloading.wait_for(version - 1)
            reloading.write(version)
        reloading.wait_for(3)
        end(reloading)
        assert reloading.service.process.wait(20) == 0
    spans = [span["attributes"]["correlation_id"] for span in otlp_receiver.spans]
    logged = {r["attributes"].get("correlation_id") for r in otlp_receiver.log_records if r["scope"] == "example"}
    counted = sum(point["count"] for point in otlp_receiver.latest_points("http.server.request.duration"))
    assert set(reloading.answered) == {1, 2, 3}
    assert reloading.ids - set(spans) == set()
    assert reloading.ids - logged == set()
    # The client may have been cut off before the answer to a request that was served.
    assert len(reloading.ids) <= counted == len(spans) == len(set(spans))
    assert len({span["resource"]["process.pid"] for span in otlp_receiver.spans}) == 3
    assert "Traceback" not in reloading.service.process.stdout + reloading.service.process.stderr


def test_the_supervisor_sends_what_is_its_own_and_nothing_of_the_service(
    reloading: Reloading, otlp_receiver: OtlpReceiver
) -> None:
    with reloading.load():
        reloading.wait_for(1)
        reloading.write(2)
        reloading.wait_for(2)
    supervisor = reloading.service.process.pid
    assert reloading.service.stop() == 0

    def own(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [item for item in items if item["resource"]["process.pid"] == supervisor]

    measured = {name for name in otlp_receiver.metric_names if own(otlp_receiver.metric_points(name))}
    assert own(otlp_receiver.spans) == []
    assert {record["scope"] for record in own(otlp_receiver.log_records)} == RELOADER_LOGGERS
    assert "process.cpu.time" in measured
    assert {name for name in measured if name.startswith(("http.", "db.", "mita.event_loop"))} == set()


def test_a_collector_that_is_away_delays_a_restart_by_the_deadline_at_most(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver, tmp_path: Path
) -> None:
    otlp_receiver.stop()
    reloading = Reloading(launch, tmp_path, MITA_SHUTDOWN_TIMEOUT="0.5")
    with reloading.load():
        reloading.wait_for(1)
        began = time.monotonic()
        reloading.write(2)
        reloading.wait_for(2, requests=1)
        assert time.monotonic() - began < 4.5  # the restart takes one or two seconds of its own on a busy machine
    assert reloading.service.stop() == 0
