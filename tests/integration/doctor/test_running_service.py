"""The doctor inside a running service: for whoever has the token, and for nobody else."""

import json
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.fixtures.otlp_receiver import Fault, OtlpReceiver
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import PROGRAMS, ROOT, ServiceFactory, clean_environment
from tests.integration.doctor.conftest import StandIn

TOKEN = "correct-horse-battery-staple"
APPLICATION = "tests.integration.service.example:app"

Start = Callable[..., httpx.Client]


@pytest.fixture
def start(start_service: ServiceFactory, otlp_receiver: OtlpReceiver, jaeger: StandIn) -> Iterator[Start]:
    """Start a service with the token, and return a client; variables in capitals go on top."""
    clients: list[httpx.Client] = []

    def start(application: str = APPLICATION, *arguments: str, **variables: str) -> httpx.Client:
        port = find_free_port()
        url = f"http://127.0.0.1:{port}"
        start_service(
            ["mita-instrument", "uvicorn", application, "--port", str(port), *arguments],
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint,
                "OTEL_SERVICE_NAME": "examined",
                "MITA_JAEGER_URL": jaeger.url,
                "MITA_ADMIN_TOKEN": TOKEN,
                "PYTHONPATH": ".",
                **variables,
            },
            url=f"{url}/health",
        )
        client = httpx.Client(base_url=url, timeout=30, trust_env=False)
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.close()


def ask(client: httpx.Client, path: str = "/_mita/doctor") -> dict[str, Any]:
    answer = client.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    document: dict[str, Any] = answer.json()
    return document


def of(document: dict[str, Any], check: str) -> list[dict[str, str]]:
    return [finding for finding in document["findings"] if finding["check"] == check]


def troubles(document: dict[str, Any]) -> list[str]:
    return [f"{one['check']}: {one['sentence']}" for one in document["findings"] if one["verdict"] != "ok"]


def test_a_service_in_order_says_so_and_counts_what_it_delivered(start: Start, otlp_receiver: OtlpReceiver) -> None:
    client = start()
    for number in range(20):
        client.get(f"/items/{number}")
    otlp_receiver.wait_for_spans(20)
    document = ask(client)
    assert troubles(document) == []
    assert (document["where"], document["verdict"]) == ("service", "ok")
    queues = {queue["signal"]: queue for queue in document["live"]["queues"]}
    assert queues["traces"]["accepted"] == 20
    assert queues["traces"]["capacity"] == 65_536
    assert document["live"]["faults"]["fastapi"] == 0
    instrumented = {one["sentence"] for one in of(document, "instrumentations")}
    assert any(sentence.startswith("fastapi") and sentence.endswith("ours") for sentence in instrumented)
    assert any("redis" in sentence and "not imported" in sentence for sentence in instrumented)
    assert TOKEN not in json.dumps(document)


def test_the_question_leaves_no_span_and_no_duration(start: Start, otlp_receiver: OtlpReceiver) -> None:
    client = start(OTEL_METRIC_EXPORT_INTERVAL="300")
    ask(client)
    client.get("/items/1")
    eventually(lambda: otlp_receiver.metric_points("http.server.request.duration"))
    otlp_receiver.wait_for_spans(lambda spans: any(span["name"] == "GET /items/{item}" for span in spans))
    assert {span["name"] for span in otlp_receiver.spans} == {"doctor probe", "GET /items/{item}"}
    routes = {p["attributes"].get("http.route") for p in otlp_receiver.latest_points("http.server.request.duration")}
    assert routes == {"/items/{item}"}


def test_without_the_token_nothing_is_told(start: Start, otlp_receiver: OtlpReceiver) -> None:
    client = start()
    wrong = ("Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN)
    for headers in ({}, *({"Authorization": value} for value in wrong)):
        answer = client.get("/_mita/doctor", headers=headers)
        assert (headers, answer.status_code) == (headers, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert set(answer.json()) == {"error"}
    assert otlp_receiver.spans == []


@pytest.mark.parametrize("token", ["", "too-short"])
def test_without_a_token_of_its_own_the_service_has_no_such_route(start: Start, token: str) -> None:
    client = start(MITA_ADMIN_TOKEN=token)
    answer = client.get("/_mita/doctor", headers={"Authorization": f"Bearer {token or 'None'}"})
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not Found"}


def test_other_paths_and_methods_stay_the_applications(start: Start) -> None:
    client = start()
    authorised = {"Authorization": f"Bearer {TOKEN}"}
    assert client.get("/items/_mita/doctor", headers=authorised).status_code == 404
    assert client.get("/_mita/doctor/", headers=authorised).status_code == 404
    assert client.get("/mounted/_mita/doctor", headers=authorised).status_code == 404
    assert client.post("/_mita/doctor", headers=authorised).status_code == 405
    assert client.post("/_mita/doctor").status_code == 401


def test_behind_a_proxy_that_cuts_a_prefix_the_route_is_there(start: Start) -> None:
    client = start(APPLICATION, "--root-path", "/api")
    assert ask(client)["where"] == "service"


def test_a_second_question_at_the_same_time_is_put_off(start: Start, otlp_receiver: OtlpReceiver) -> None:
    client = start()
    otlp_receiver.fault = Fault(delay=2)

    @contextmanager
    def being_asked() -> Iterator[None]:
        with httpx.Client(base_url=client.base_url, trust_env=False) as other:
            request = other.build_request("GET", "/_mita/doctor", headers={"Authorization": f"Bearer {TOKEN}"})
            with _in_background(lambda: other.send(request)):
                yield

    with being_asked():
        eventually(lambda: otlp_receiver.requests)
        answer = client.get("/_mita/doctor", headers={"Authorization": f"Bearer {TOKEN}"})
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert client.get("/items/1").elapsed.total_seconds() < 1


@contextmanager
def _in_background(work: Callable[[], object]) -> Iterator[None]:
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        yield
        done.result(30)


def test_losses_of_a_full_queue_are_told_with_the_setting(start: Start, otlp_receiver: OtlpReceiver) -> None:
    otlp_receiver.fault = Fault(status=503)
    client = start(OTEL_BSP_MAX_QUEUE_SIZE="10")
    for number in range(30):
        client.get(f"/items/{number}")
    document = ask(client)
    lost = next(one for one in of(document, "losses") if one["sentence"].startswith("traces"))
    assert lost["verdict"] == "error"
    assert "20 dropped queue full" in lost["sentence"]
    assert "OTEL_BSP_MAX_QUEUE_SIZE" in lost["fix"]
    full = next(one for one in of(document, "queue") if one["sentence"].startswith("traces"))
    assert (full["verdict"], full["sentence"]) == ("error", "traces: 10 of 10 places taken")
    assert any("HTTP 503" in one["sentence"] for one in of(document, "endpoint"))


def test_an_application_instrumented_by_hand_is_told_from_within(
    start: Start, application: Callable[[str], dict[str, str]]
) -> None:
    code = """
from fastapi import FastAPI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
app = FastAPI()
FastAPIInstrumentor.instrument_app(app)
@app.get("/health")
def health(): return {}
"""
    folder = application(code)["PYTHONPATH"]
    document = ask(start("examined:app", PYTHONPATH=folder))
    assert any("FastAPIInstrumentor.instrument_app" in one["sentence"] for one in of(document, "doubles"))


def test_the_settings_are_those_that_the_user_gave(start: Start) -> None:
    document = ask(start(OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="django", OTEL_EXPORTER_OTLP_HEADERS="x-key=hunter2"))
    settings = {row["name"]: row for row in document["settings"]}
    assert settings["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"]["value"] == "django"
    assert settings["OTEL_METRIC_EXPORT_INTERVAL"]["source"] == "mita-otel"
    assert settings["MITA_ADMIN_TOKEN"]["value"] == "[REDACTED]"
    assert "hunter2" not in json.dumps(document)


def command(url: str, *arguments: str, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAMS / "mita-otel"), "doctor", "--service", url, *arguments],
        env=clean_environment({"MITA_ADMIN_TOKEN": token}),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_asks_a_running_service(start: Start) -> None:
    url = str(start().base_url)
    asked = command(url, "--json")
    assert (asked.returncode, json.loads(asked.stdout)["where"]) == (0, "service")
    people = command(url)
    assert people.returncode == 0
    assert "0 errors, 0 warnings" in people.stdout
    refused = command(url, token="another-token-of-length")
    assert (refused.returncode, refused.stdout) == (69, "")
    assert "answers 401: MITA_ADMIN_TOKEN is not the service's" in refused.stderr
    assert "another-token" not in refused.stderr
