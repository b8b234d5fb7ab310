"""Asking ports what they speak, and backends for the probe span."""

import http.server
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mita_otel.doctor.facts.delivery import deliver, probe_trace_id
from mita_otel.doctor.facts.looking import PATIENCE, look
from mita_otel.doctor.facts.wire import language_of
from mita_otel.settings import Settings
from tests.fixtures.otlp_receiver import Fault, OtlpReceiver
from tests.fixtures.polling import find_free_port
from tests.integration.doctor.conftest import StandIn, serving

HOST = "127.0.0.1"


def test_a_port_is_recognised_by_what_it_answers(otlp_receiver: OtlpReceiver, tls_port: int, ssh_port: int) -> None:
    assert language_of(HOST, otlp_receiver.http_port) == "http/1.1"
    assert language_of(HOST, otlp_receiver.grpc_port) == "http/2"
    assert language_of(HOST, tls_port) == "tls"
    assert language_of(HOST, ssh_port) == "unknown"
    assert language_of(HOST, find_free_port()) == "nothing"
    assert language_of("receiver.invalid", 4317) == "nothing"


def sent(receiver: OtlpReceiver, **variables: str) -> list[Any]:
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.http_endpoint, **variables}
    return list(deliver(Settings.read(given), given, probe_trace_id()))


def test_only_signals_that_go_out_by_otlp_are_sent(otlp_receiver: OtlpReceiver) -> None:
    deliveries = sent(otlp_receiver, OTEL_METRICS_EXPORTER="prometheus", OTEL_LOGS_EXPORTER="none")
    assert [delivery.signal for delivery in deliveries] == ["traces"]
    assert [request.signal for request in otlp_receiver.requests] == ["traces"]


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_empty_requests_leave_nothing_behind(otlp_receiver: OtlpReceiver, protocol: str) -> None:
    endpoint = otlp_receiver.grpc_endpoint if protocol == "grpc" else otlp_receiver.http_endpoint
    deliveries = sent(otlp_receiver, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, OTEL_EXPORTER_OTLP_PROTOCOL=protocol)
    assert [delivery.outcome for delivery in deliveries] == ["accepted"] * 3
    assert (len(otlp_receiver.spans), otlp_receiver.log_records, otlp_receiver.metric_names) == (1, [], set())
    known = [delivery.ahead is not None for delivery in deliveries]
    assert known == [protocol != "grpc"] * 3, "gRPC has no Date"


def test_headers_and_compression_are_those_of_the_settings(otlp_receiver: OtlpReceiver) -> None:
    sent(otlp_receiver, OTEL_EXPORTER_OTLP_HEADERS="x-tenant=blue", OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
    headers = [request.headers for request in otlp_receiver.requests]
    assert all((h["x-tenant"], h["content-encoding"]) == ("blue", "gzip") for h in headers)


def test_signals_are_sent_at_once_and_one_that_hangs_takes_no_longer_than_its_timeout(
    otlp_receiver: OtlpReceiver,
) -> None:
    otlp_receiver.fault = Fault(black_hole=True)
    began = time.monotonic()
    deliveries = sent(otlp_receiver, OTEL_EXPORTER_OTLP_TIMEOUT="1")
    assert {delivery.reason for delivery in deliveries} == {"timeout"}
    assert time.monotonic() - began < 1 + 3 * 2 + 1  # an attempt each, then what the port speaks


def looked(trace_id: int = 1, **variables: str) -> dict[str, Any]:
    nowhere = f"http://{HOST}:{find_free_port()}"
    given = {"MITA_CONSOLE_URL": nowhere, "MITA_JAEGER_URL": nowhere, **variables}
    return {one.where: one for one in look(Settings.read(given), given, trace_id)}


def test_where_nothing_answers_nobody_waits() -> None:
    began = time.monotonic()
    looks = looked()
    assert [one.answers for one in looks.values()] == [False, False]
    assert time.monotonic() - began < PATIENCE


def test_a_trace_that_comes_late_is_found(otlp_receiver: OtlpReceiver, jaeger: StandIn) -> None:
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint}
    trace_id = probe_trace_id()
    deliver(Settings.read(given), given, trace_id)
    found = looked(trace_id, MITA_CONSOLE_URL=jaeger.url)
    assert (found["console"].found, found["Jaeger"].answers) == (True, False)


class _Strange(http.server.BaseHTTPRequestHandler):
    status, body, location = 200, b"", ""
    seen: list[str]

    def do_GET(self) -> None:
        type(self).seen.append(self.headers.get("Authorization", ""))
        self.send_response(self.status)
        if self.location:
            self.send_header("Location", self.location)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def strange() -> Callable[..., Any]:
    @contextmanager
    def serve(status: int, body: object, location: str = "") -> Iterator[tuple[str, list[str]]]:
        encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
        seen: list[str] = []
        handler = type("H", (_Strange,), {"status": status, "body": encoded, "location": location, "seen": seen})
        server = http.server.ThreadingHTTPServer((HOST, 0), handler)
        with serving(server):
            yield f"http://{HOST}:{server.server_address[1]}", seen

    return serve


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, []),
        (200, {"data": 5}),
        (404, b"not found"),
        (404, {"detail": "Not Found"}),
        (500, {"errors": []}),
        (302, b""),
    ],
)
def test_whatever_is_no_jaeger_api_does_not_count_as_one(
    strange: Callable[..., Any], status: int, body: object
) -> None:
    with strange(status, body) as (url, _):
        assert not looked(MITA_JAEGER_URL=url)["Jaeger"].answers


def test_the_consoles_token_goes_to_the_console_alone_and_follows_no_redirect(strange: Callable[..., Any]) -> None:
    with strange(200, b"") as (elsewhere, carried), strange(302, b"", elsewhere) as (url, seen):
        looked(MITA_CONSOLE_URL=url, MITA_JAEGER_URL=elsewhere, MITA_CONSOLE_TOKEN="secret")
    assert set(seen) == {"Bearer secret"}
    assert set(carried) == {""}, "Jaeger's own question"
