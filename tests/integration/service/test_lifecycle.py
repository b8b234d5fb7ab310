"""The end of a service: what was answered is delivered, and a Collector that is away delays nobody."""

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psutil
import pytest

from tests.fixtures.otlp_receiver import Fault, OtlpReceiver
from tests.fixtures.polling import eventually
from tests.fixtures.service import PROGRAMS, ROOT, clean_environment
from tests.integration.service.conftest import APPLICATION

SERVERS = {
    "one worker": ["uvicorn", APPLICATION, "--port", "{port}"],
    "two workers": ["uvicorn", APPLICATION, "--port", "{port}", "--workers", "2"],
    "gunicorn": [
        *("gunicorn", APPLICATION, "--bind", "127.0.0.1:{port}", "--workers", "2"),
        *("--worker-class", "uvicorn_worker.UvicornWorker", "--no-control-socket", "--graceful-timeout", "10"),
    ],
}


def _load(url: str, requests: int, on_half: Callable[[], None]) -> set[str]:
    """Send requests from four threads, call `on_half` when half are answered, return the ids of those answered."""
    answered: set[str] = set()
    half = threading.Event()

    def send(number: int) -> None:
        try:
            answer = httpx.get(f"{url}/items/{number}", headers={"x-correlation-id": f"load-{number}"}, timeout=5)
        except httpx.HTTPError:
            return
        if answer.status_code == 200:
            answered.add(f"load-{number}")
        if len(answered) >= requests // 2 and not half.is_set():
            half.set()
            on_half()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(requests)))
    return answered


@pytest.mark.parametrize("server", SERVERS)
def test_every_answered_request_arrives_when_the_service_ends_in_the_middle_of_load(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver, server: str
) -> None:
    service = launch(SERVERS[server])
    answered = _load(service.url, 500, service.process.terminate)
    status = service.process.wait(20)
    assert status == (-signal.SIGTERM if server == "one worker" else 0)
    assert len(answered) >= 250
    spans = {span["attributes"]["correlation_id"] for span in otlp_receiver.spans}
    logged = {r["attributes"].get("correlation_id") for r in otlp_receiver.log_records if r["scope"] == "example"}
    counted = sum(point["count"] for point in otlp_receiver.latest_points("http.server.request.duration"))
    assert answered - spans == set()
    assert answered - logged == set()
    assert counted >= len(answered)
    assert otlp_receiver.duplicates == []


def test_workers_are_told_apart_even_by_an_instance_id_that_the_user_set(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch(SERVERS["gunicorn"], OTEL_RESOURCE_ATTRIBUTES="service.instance.id=pod-1")

    def workers() -> list[psutil.Process]:
        found = psutil.Process(service.process.pid).children()
        return found if len(found) > 1 else []

    def instances_of_both() -> set[str]:
        found = {span["resource"]["service.instance.id"] for span in otlp_receiver.spans}
        return found if len(found) > 1 else set()

    # Left to themselves, the one that is awake may take every connection.
    for other in eventually(workers):
        other.suspend()
        try:
            httpx.get(f"{service.url}/items/1", timeout=20)
        finally:
            other.resume()
    instances = eventually(instances_of_both)
    service.stop()
    assert len(instances) == 2
    assert all(instance.startswith("pod-1-") for instance in instances)


def test_helper_processes_send_nothing(launch: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch(SERVERS["two workers"], OTEL_METRIC_EXPORT_INTERVAL="300")
    eventually(
        lambda: len({p["resource"]["process.pid"] for p in otlp_receiver.metric_points("process.cpu.time")}) >= 2
    )
    service.stop()
    pids = {point["resource"]["process.pid"] for point in otlp_receiver.metric_points("process.cpu.time")}
    # The two workers and the supervisor that runs their command line; not the resource tracker.
    assert len(pids) <= 3


def test_ctrl_c_delivers_too(launch: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch()
    service.client.get("/items/1")
    service.process.terminate(signal.SIGINT)
    service.process.wait(20)
    assert [span["name"] for span in otlp_receiver.spans] == ["GET /items/{item}"]


@pytest.mark.parametrize("fault", ["black hole", "refused"])
def test_a_collector_that_is_away_delays_no_request_and_no_exit_beyond_the_deadline(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver, fault: str
) -> None:
    if fault == "refused":
        otlp_receiver.stop()
    else:
        otlp_receiver.fault = Fault(black_hole=True)
    service = launch(MITA_SHUTDOWN_TIMEOUT="1")
    started = time.monotonic()
    assert all(service.client.get(f"/items/{number}").status_code == 200 for number in range(50))
    assert time.monotonic() - started < 5
    stopping = time.monotonic()
    assert service.stop() == -signal.SIGTERM
    assert time.monotonic() - stopping < 4
    assert "Traceback" not in service.process.stdout + service.process.stderr


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=503, retry_after="1"),
        Fault(status=429),
        Fault(cut=True),
        Fault(drip=True),
    ],
    ids=lambda fault: str(fault.status) + ("cut" if fault.cut else "") + ("drip" if fault.drip else ""),
)
def test_what_a_lying_collector_did_not_take_arrives_when_it_recovers(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver, fault: Fault
) -> None:
    otlp_receiver.fault = fault
    service = launch(OTEL_EXPORTER_OTLP_TIMEOUT="1")
    for number in range(20):
        assert service.client.get(f"/items/{number}").status_code == 200
    eventually(lambda: any(request.signal == "traces" for request in otlp_receiver.requests))
    otlp_receiver.fault = None
    eventually(lambda: len({span["span_id"] for span in otlp_receiver.spans}) == 20, timeout=20)
    service.stop()
    assert "Traceback" not in service.process.stdout + service.process.stderr


def test_a_program_that_does_nothing_does_not_wait_for_a_collector_that_hangs(otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(black_hole=True)
    # A deadline far beyond what a busy machine takes to start and end: waiting for it could not be mistaken.
    patient = {"MITA_STRICT": "1", "MITA_SHUTDOWN_TIMEOUT": "20"}
    environment = clean_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint, **patient})
    command = [str(PROGRAMS / "opentelemetry-instrument"), sys.executable, "-c", "pass"]
    started = time.monotonic()
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert time.monotonic() - started < 15
    assert otlp_receiver.requests == []


def test_a_wrong_setting_ends_a_strict_process_with_its_name_value_and_what_is_allowed() -> None:
    ended = subprocess.run(
        [str(PROGRAMS / "opentelemetry-instrument"), sys.executable, "-c", "print('served')"],
        env=clean_environment({"MITA_STRICT": "1", "MITA_LOG_FORMAT": "xml"}),
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (78, "")
    assert "MITA_LOG_FORMAT='xml' is not allowed: it takes auto, json, text or none" in ended.stderr


def test_a_wrong_setting_is_named_and_the_default_taken_otherwise(otlp_receiver: OtlpReceiver) -> None:
    ended = subprocess.run(
        [str(PROGRAMS / "opentelemetry-instrument"), sys.executable, "-c", "print('served')"],
        env=clean_environment(
            {"MITA_LOG_FORMAT": "xml", "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint}
        ),
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (0, "served\n")
    assert "MITA_LOG_FORMAT='xml' is not allowed" in ended.stderr


@pytest.mark.parametrize("variable", ["OTEL_PYTHON_CONFIGURATOR", "OTEL_PYTHON_DISTRO"])
def test_another_distribution_that_was_chosen_is_an_error_in_strict_mode(variable: str) -> None:
    ended = subprocess.run(
        [str(PROGRAMS / "opentelemetry-instrument"), sys.executable, "-c", "print('served')"],
        env=clean_environment(
            {"MITA_STRICT": "1", variable: "other", "OTEL_PYTHON_CONFIGURATOR": "other"}
        ),
        cwd=ROOT, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 78
    assert "mita_otel:" in ended.stderr


def test_prometheus_is_served_by_each_worker_with_its_own_instance(launch: Callable[..., Any], free_port: int) -> None:
    service = launch(
        SERVERS["two workers"],
        OTEL_METRICS_EXPORTER="otlp,prometheus",
        OTEL_EXPORTER_PROMETHEUS_PORT=str(free_port),
    )
    service.client.get("/items/1")

    def instances() -> set[str]:
        found = set()
        for port in range(free_port, free_port + 32):
            # A port in between may be another server's: the worker took the next one.
            with contextlib.suppress(httpx.HTTPError):
                text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=1).text
                found |= {line for line in text.splitlines() if line.startswith("target_info")}
        return found if len(found) == 3 else set()

    assert len(eventually(instances)) == 3
    service.stop()
