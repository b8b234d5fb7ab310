"""What a real server takes in: each error once, masked, with the id of its trace; and what happens when it is gone."""

import json
import socket
from typing import Any

import pytest

from tests.fixtures.bugsink import Bugsink
from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import eventually, find_free_port
from tests.integration.sentry.conftest import Launch, Service

NATIVE = {"MITA_FAST_PATH": "false", "MITA_SERVER_PATH": "native"}


def _server_spans(receiver: OtlpReceiver, path: str) -> list[dict[str, Any]]:
    return [span for span in receiver.spans if span["attributes"].get("url.path") == path]


def _settled(bugsink: Bugsink, service: Service) -> list[dict[str, Any]]:
    """Return every report there will be: one more is made, and all before it were sent before it."""
    before = len(bugsink.events(service.name))
    assert service.client.get("/logs").status_code == 200
    events = bugsink.wait_for(before + 1, service.name)
    service.stop()
    return [event for event in bugsink.events(service.name) if event.get("logger") != "shop.payments"] if events else []


@pytest.mark.parametrize(
    ("name", "variables"),
    [("app", {}), ("wrapped", {}), ("standard", {}), ("app", NATIVE), ("app", {"SENTRY_TRACES_SAMPLE_RATE": "1"})],
    ids=["plain", "behind a middleware", "with answers in the standard form", "native path", "with transactions"],
)
def test_an_unhandled_error_is_one_report_with_the_id_of_its_one_trace(
    launch: Launch, bugsink: Bugsink, otlp_receiver: OtlpReceiver, name: str, variables: dict[str, str]
) -> None:
    service = launch(name, SENTRY_DSN=bugsink.dsn, **variables)
    assert service.client.get("/fails?token=abc&page=2").status_code == 500
    bugsink.wait_for(1, service.name)
    service.stop()
    (event,) = bugsink.events(service.name)
    otlp_receiver.wait_for_spans(lambda spans: any(span["kind"] == "SERVER" for span in spans) or spans)
    (span,) = _server_spans(otlp_receiver, "/fails")
    assert event["contexts"]["trace"]["trace_id"] == span["trace_id"]
    exception = event["exception"]["values"][-1]
    assert (exception["type"], exception["value"]) == ("ValueError", "card [REDACTED] was refused")
    assert exception["mechanism"]["handled"] is False
    assert event["transaction"] == "tests.integration.sentry.service.fails"
    assert event["request"]["query_string"] == "token=[REDACTED]&page=2"
    assert "data" not in event["request"]
    assert "cookies" not in event["request"]
    assert "paying with [REDACTED]" in [crumb["message"] for crumb in event["breadcrumbs"]["values"]]
    assert "41111111" not in json.dumps(event).replace(" ", "")


def test_a_report_says_who_reports(launch: Launch, bugsink: Bugsink) -> None:
    service = launch(SENTRY_DSN=bugsink.dsn, MITA_SENTRY_COMPONENT="payments")
    service.client.get("/logs", headers={"x-correlation-id": "order-7"})
    (event,) = bugsink.wait_for(1, service.name)
    assert (event["environment"], event["release"]) == ("staging", f"{service.name}@1.4.2")
    assert (
        event["tags"].items()
        >= {
            "service": service.name,
            "component": "payments",
            "environment": "staging",
            "correlation_id": "order-7",
        }.items()
    )
    assert event["contexts"]["application"] == {
        "name": service.name,
        "version": "1.4.2",
        "type": "financial_services",
        "compliance": "PCI_DSS",
    }


def test_a_logged_error_is_a_report_with_the_id_of_the_trace_and_masked(
    launch: Launch, bugsink: Bugsink, otlp_receiver: OtlpReceiver
) -> None:
    service = launch(SENTRY_DSN=bugsink.dsn)
    service.client.get("/logs")
    (event,) = bugsink.wait_for(1, service.name)
    service.stop()
    (span,) = _server_spans(otlp_receiver, "/logs")
    assert event["contexts"]["trace"]["trace_id"] == span["trace_id"]
    assert event["logentry"]["formatted"] == "order of [REDACTED] was refused"
    assert "ann@example.org" not in json.dumps(event)
    assert "737" not in json.dumps(event["extra"])


def test_what_the_application_handled_is_no_report(launch: Launch, bugsink: Bugsink) -> None:
    service = launch(SENTRY_DSN=bugsink.dsn)
    assert service.client.get("/handles").status_code == 200
    assert service.client.get("/missing").status_code == 404
    assert _settled(bugsink, service) == []


def test_an_answer_of_503_is_one_report_that_says_it_was_handled(launch: Launch, bugsink: Bugsink) -> None:
    service = launch(SENTRY_DSN=bugsink.dsn)
    assert service.client.get("/unavailable").status_code == 503
    (event,) = bugsink.wait_for(1, service.name)
    assert event["exception"]["values"][-1]["mechanism"] == {"type": "starlette", "handled": True}
    assert event["transaction"] == "tests.integration.sentry.service.unavailable"
    assert "41111111" not in json.dumps(event).replace(" ", "")


def test_an_error_is_found_by_what_its_client_was_told(launch: Launch, bugsink: Bugsink) -> None:
    service = launch("standard", SENTRY_DSN=bugsink.dsn)
    told = {path: service.client.get(path).headers["x-error-id"] for path in ("/fails", "/unavailable")}
    events = bugsink.wait_for(2, service.name)
    service.stop()
    assert len(bugsink.events(service.name)) == len(events)
    assert {str(told["/fails"])} == {
        event["tags"]["mita.error.id"] for event in events if event["transaction"].endswith("fails")
    }


def test_requests_share_no_breadcrumbs(launch: Launch, bugsink: Bugsink) -> None:
    service = launch(SENTRY_DSN=bugsink.dsn)
    service.client.get("/fails")
    service.client.get("/logs")
    events = {event["transaction"].rpartition(".")[2]: event for event in bugsink.wait_for(2, service.name)}
    assert "paying with" in json.dumps(events["fails"])
    assert "paying with" not in json.dumps(events["logs"])


def test_an_error_of_background_work_is_one_report(launch: Launch, bugsink: Bugsink) -> None:
    service = launch(SENTRY_DSN=bugsink.dsn)
    assert service.client.get("/background").status_code == 200
    bugsink.wait_for(1, service.name)
    assert len(_settled(bugsink, service)) == 1


def test_nothing_but_w3c_headers_goes_out_and_a_call_is_a_breadcrumb(launch: Launch, bugsink: Bugsink) -> None:
    service = launch(SENTRY_DSN=bugsink.dsn)
    answer = service.client.get("/calls", params={"url": f"{service.url}/headers?token=abc"}).json()
    (event,) = bugsink.wait_for(1, service.name)
    assert answer["sentry"] is None
    assert answer["traceparent"].split("-")[1] == event["contexts"]["trace"]["trace_id"]
    (crumb,) = [crumb for crumb in event["breadcrumbs"]["values"] if crumb["category"] == "httplib"]
    assert crumb["data"]["url"].endswith("/headers?token=[REDACTED]")


def test_a_report_made_right_before_the_end_is_delivered(launch: Launch, bugsink: Bugsink) -> None:
    service = launch(SENTRY_DSN=bugsink.dsn)
    service.client.get("/logs")
    _, took = service.stop()
    assert len(bugsink.events(service.name)) == 1
    assert took < 3


@pytest.mark.parametrize("preload", [[], ["--preload"]], ids=["each worker starts", "workers are forked"])
def test_workers_report_too_and_deliver_at_their_end(launch: Launch, bugsink: Bugsink, preload: list[str]) -> None:
    gunicorn = [
        "gunicorn",
        "--workers",
        "2",
        "--worker-class",
        "uvicorn_worker.UvicornWorker",
        "--bind",
        "127.0.0.1:{port}",
    ]
    service = launch(server=[*gunicorn, *preload], SENTRY_DSN=bugsink.dsn)
    # A worker that is told to end while it is still being forked has gunicorn's own handler, and does not.
    eventually(lambda: service.process.stdout.count("Application startup complete") == 2)
    for _ in range(6):
        assert service.client.get("/logs").status_code == 200
    service.stop()
    events = bugsink.events(service.name)
    assert len({event["contexts"]["trace"]["trace_id"] for event in events}) == len(events) == 6


def test_a_server_that_is_gone_costs_neither_requests_nor_the_end(launch: Launch, otlp_receiver: OtlpReceiver) -> None:
    service = launch(SENTRY_DSN=f"http://key@127.0.0.1:{find_free_port()}/1")
    for _ in range(20):
        assert service.client.get("/fails").status_code == 500
        assert service.client.get("/logs").status_code == 200
    status, took = service.stop()
    assert status < 0
    assert took < 5
    otlp_receiver.wait_for_spans(lambda spans: len(spans) >= 40)


def test_a_server_that_takes_connections_and_says_nothing_holds_the_end_up_no_longer_than_the_deadline(
    launch: Launch, otlp_receiver: OtlpReceiver
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        service = launch(SENTRY_DSN=f"http://key@127.0.0.1:{deaf.getsockname()[1]}/1", MITA_SHUTDOWN_TIMEOUT="2")
        for _ in range(20):
            assert service.client.get("/logs").elapsed.total_seconds() < 2
        _, took = service.stop()
    assert took < 5
    otlp_receiver.wait_for_spans(lambda spans: len(spans) >= 20)


def test_without_a_dsn_the_service_has_not_imported_the_sdk(launch: Launch) -> None:
    assert launch().client.get("/imported").json() == []
    assert launch(SENTRY_DSN="http://key@127.0.0.1:9/1").client.get("/imported").json() == ["sentry_sdk"]
