"""What one request leaves behind: one SERVER span, one count, correlated log records, and nothing of its secrets."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import eventually

SERVER = 2


def _logs(receiver: OtlpReceiver, text: str) -> list[dict[str, Any]]:
    return [record for record in receiver.log_records if text in str(record["body"])]


def test_a_request_leaves_one_server_span_and_nothing_else(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    service.client.get("/items/1")
    service.stop()
    (span,) = otlp_receiver.spans
    assert (span["name"], span["kind"], span["parent_span_id"]) == ("GET /items/{item}", SERVER, "")
    assert span["attributes"]["http.route"] == "/items/{item}"


def test_a_mounted_application_is_part_of_one_request_and_its_route_is_shown_in_full(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    service.client.get("/mounted/things/1")
    service.stop()
    assert [span["name"] for span in otlp_receiver.spans] == ["GET /mounted/things/{thing}"]
    (point,) = otlp_receiver.latest_points("http.server.request.duration")
    assert (point["count"], point["attributes"]["http.route"]) == (1, "/mounted/things/{thing}")


def test_log_lines_of_a_request_carry_its_trace_on_stdout_and_over_otlp(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    service.client.get("/items/1", headers={"x-correlation-id": "order-42"})
    service.stop()
    (span,) = otlp_receiver.spans
    lines = [json.loads(line) for line in service.process.stdout.splitlines()]
    (written,) = [line for line in lines if line["message"] == "item 1 read"]
    assert (written["trace_id"], written["correlation_id"]) == (span["trace_id"], "order-42")
    (record,) = _logs(otlp_receiver, "item 1 read")
    assert (record["trace_id"], record["span_id"]) == (span["trace_id"], span["span_id"])
    assert record["attributes"]["password"] == "[REDACTED]"
    (access,) = _logs(otlp_receiver, '"GET /items/1 HTTP/1.1" 200')
    assert (access["trace_id"], access["attributes"]["correlation_id"]) == (span["trace_id"], "order-42")


def test_a_correlation_id_is_created_returned_and_put_on_the_span(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    given = service.client.get("/items/1", headers={"x-correlation-id": "bad id\twith spaces"})
    service.stop()
    correlation_id = given.headers["x-correlation-id"]
    assert re.fullmatch("[0-9a-f]{32}", correlation_id)
    assert otlp_receiver.spans[0]["attributes"]["correlation_id"] == correlation_id


def test_a_correlation_id_that_is_a_card_number_is_replaced(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    answer = service.client.get("/items/1", headers={"x-correlation-id": "4111111111111111"})
    service.stop()
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-correlation-id"])
    assert "4111111111111111" not in service.process.stdout + str(otlp_receiver.log_records)


def test_the_trace_id_is_told_to_the_client(launch: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch()
    answer = service.client.get("/items/1")
    service.stop()
    trace_id = otlp_receiver.spans[0]["trace_id"]
    assert answer.headers["traceresponse"].split("-")[1] == trace_id
    assert trace_id in answer.headers["server-timing"]


def test_an_unhandled_exception_is_logged_once_and_is_an_event_of_the_span_without_its_card_number(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    assert service.client.get("/fails").status_code == 500
    service.stop()
    (span,) = otlp_receiver.spans
    assert (span["status"]["code"], span["attributes"]["error.type"]) == (2, "ValueError")
    (event,) = span["events"]
    assert event["attributes"]["exception.message"] == "card [REDACTED] was refused"
    (record,) = _logs(otlp_receiver, "Exception in ASGI application")
    assert record["trace_id"] == span["trace_id"]
    assert "4111 1111" not in str(record)
    assert "ValueError" in record["attributes"]["exception.stacktrace"]
    assert "4111 1111" not in service.process.stdout


def test_health_checks_leave_no_span_and_no_count(launch: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch()
    service.client.get("/health")
    service.stop()
    assert otlp_receiver.spans == []
    assert otlp_receiver.metric_points("http.server.request.duration") == []


def test_a_host_header_cannot_hide_a_request(launch: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch()
    service.client.get("/items/1", headers={"host": "x/health"})
    service.stop()
    assert len(otlp_receiver.spans) == 1


def test_hosts_and_unknown_paths_make_no_series(launch: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch()
    for number in range(500):
        service.client.get(f"/unknown/{number}", headers={"host": f"host-{number}.example"})
    service.stop()
    points = otlp_receiver.latest_points("http.server.request.duration")
    assert [point["count"] for point in points] == [500]
    assert len(otlp_receiver.latest_points("http.server.active_requests")) == 1


def test_secrets_in_a_query_string_are_masked(launch: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch()
    service.client.get("/items/1?token=s3cr3t&page=2&mail=jane%40example.com")
    service.stop()
    assert otlp_receiver.spans[0]["attributes"]["url.query"] == "token=[REDACTED]&page=2&mail=[REDACTED]"
    assert "s3cr3t" not in service.process.stdout + str(otlp_receiver.log_records)


def test_the_duration_ends_with_the_last_byte_and_leaves_background_work_out(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    service.client.get("/stream")
    service.client.get("/background")
    service.stop()
    durations = {
        point["attributes"]["http.route"]: point["sum"]
        for point in otlp_receiver.latest_points("http.server.request.duration")
    }
    assert durations["/stream"] >= 0.2
    assert durations["/background"] < 0.9


def test_errors_are_counted_once_by_category_and_severity(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    service.client.post("/echo", content=b"no json")
    for path in ("/nothing-here", "/items/1", "/health", "/fails"):  # after a failure the server hangs up
        service.client.get(path)
    service.stop()
    points = otlp_receiver.latest_points("mita.errors")
    counted = {(p["attributes"]["category"], p["attributes"]["severity"]): p["value"] for p in points}
    assert {kind: count for kind, count in counted.items() if count} == {
        ("system", "high"): 1,
        ("business_logic", "low"): 1,
        ("validation", "low"): 1,
    }
    assert len(points) == len(counted) == 32, "every combination is there once, from the beginning"


@pytest.mark.parametrize("exporter", ["console", "otlp_proto_http"])
def test_exporters_of_others_are_given_masked_telemetry_too(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver, exporter: str
) -> None:
    service = launch(
        OTEL_TRACES_EXPORTER=exporter, OTEL_LOGS_EXPORTER=exporter, OTEL_METRICS_EXPORTER="none", MITA_LOG_FORMAT="none"
    )
    service.client.get("/items/1")
    service.client.get("/fails")
    service.stop()
    sent = service.process.stdout + json.dumps([*otlp_receiver.spans, *otlp_receiver.log_records], default=repr)
    assert "GET /fails" in sent
    assert "[REDACTED]" in sent
    assert [secret for secret in ("4111 1111 1111 1111", "hunter2") if secret in sent] == []


def test_body_sizes_are_those_of_the_own_request(launch: Callable[..., Any], otlp_receiver: OtlpReceiver) -> None:
    service = launch()
    service.client.post("/echo", json={"a": "b"})
    service.client.get("/stream")
    service.stop()
    sent = {
        p["attributes"]["http.route"]: p["sum"] for p in otlp_receiver.latest_points("http.server.response.body.size")
    }
    received = {
        p["attributes"]["http.route"]: p["sum"] for p in otlp_receiver.latest_points("http.server.request.body.size")
    }
    assert (sent["/stream"], received["/echo"], received["/stream"]) == (2000, 9, 0)


def test_counts_carry_an_exemplar_of_a_trace_and_buckets_hold_the_thresholds(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    service.client.get("/items/1")
    service.stop()
    (point,) = otlp_receiver.latest_points("http.server.request.duration")
    assert [exemplar["trace_id"] for exemplar in point["exemplars"]] == [otlp_receiver.spans[0]["trace_id"]]
    assert {0.1, 0.2, 0.3, 0.5, 1, 2, 3, 5, 10} <= set(point["bounds"])


def test_process_runtime_loop_and_delivery_are_measured(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch(OTEL_METRIC_EXPORT_INTERVAL="300")
    service.client.get("/items/1")
    eventually(lambda: "mita.event_loop.lag" in otlp_receiver.metric_names)
    service.stop()
    assert {
        "process.cpu.time",
        "process.memory.usage",
        "cpython.gc.collections",
        "otel.sdk.span.started",
        "otel.sdk.processor.span.queue.size",
        "otel.sdk.exporter.span.exported",
    } <= otlp_receiver.metric_names


def test_what_cannot_be_logged_is_logged_as_well_as_it_can_be(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    assert service.client.get("/broken-log").status_code == 200
    assert service.client.get("/unprintable").status_code == 500
    service.stop()
    lines = [json.loads(line) for line in service.process.stdout.splitlines()]
    assert "Logging error" not in service.process.stderr
    messages = [line["message"] for line in lines if line["logger"] == "example"]
    assert len(messages) == 3
    assert messages[0].startswith("%d items of %s")
    assert len(messages[2]) <= 32_768
    assert "truncated, 200000 characters" in messages[2]
    assert len([r for r in otlp_receiver.log_records if r["scope"] == "example"]) == 3


def test_malformed_context_and_huge_baggage_cost_nothing(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    service = launch()
    answers = [
        service.client.get("/items/1", headers={"traceparent": "00-zz-zz-01"}),
        service.client.get("/items/1", headers={"baggage": "a=" + "b" * 60_000}),
        service.client.get("/items/1", headers=[("traceparent", f"00-{'a' * 32}-{'b' * 16}-01")] * 2),
    ]
    service.stop()
    assert [answer.status_code for answer in answers if answer.status_code != 200] in ([], [400], [431])
    assert {span["parent_span_id"] for span in otlp_receiver.spans} == {""}


def test_an_inbound_trace_is_continued_linked_or_ignored_as_set(
    launch: Callable[..., Any], otlp_receiver: OtlpReceiver
) -> None:
    parent = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    for policy in ("trust", "link", "ignore"):
        service = launch(MITA_INBOUND_CONTEXT=policy)
        service.client.get(f"/items/{policy}", headers=parent)
        service.stop()
    spans = {span["attributes"]["url.path"].rpartition("/")[2]: span for span in otlp_receiver.spans}
    assert (spans["trust"]["trace_id"], spans["trust"]["parent_span_id"]) == ("a" * 32, "b" * 16)
    assert (spans["link"]["parent_span_id"], [x["trace_id"] for x in spans["link"]["links"]]) == ("", ["a" * 32])
    assert (spans["ignore"]["parent_span_id"], spans["ignore"]["links"]) == ("", [])
