"""Alertmanager is told, and what hinders that hinders nobody."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from mita_otel.errors import Severity
from mita_otel.errors.alerting import WAITING_AT_MOST, Alertmanager, payload
from mita_otel.errors.groups import Alert
from tests.fixtures.polling import eventually, find_free_port
from tests.unit.errors.test_groups import ERROR

ALERT = Alert(severity=Severity.HIGH, occurrence=ERROR, since_last=3, cools_for=900.0)


class Receiver:
    """Takes what Alertmanager would, over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[tuple[str, Any]] = []
        self.failing: list[int] = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.bodies.append((self.path, json.loads(body)))
                self.send_response(receiver.failing.pop(0) if receiver.failing else 200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def test_an_alert_is_posted_with_its_labels(receiver: Receiver) -> None:
    alertmanager = Alertmanager(receiver.url, {"service": "shop"})
    alertmanager.tell(ALERT)
    eventually(lambda: alertmanager.outcomes["sent"] == 1)
    ((path, (posted,)),) = receiver.bodies
    assert path == "/api/v2/alerts"
    assert posted["labels"] == {
        "alertname": "MitaErrorThreshold",
        "severity": "high",
        "category": "system",
        "fingerprint": "f" * 16,
        "service": "shop",
    }
    assert posted["startsAt"] == "1970-01-01T00:16:40+00:00"
    assert posted["endsAt"] == "1970-01-01T00:31:40+00:00"


def test_an_alertmanager_that_is_away_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    alertmanager = Alertmanager(f"http://127.0.0.1:{find_free_port()}", {}, pauses=(0.01,))
    alertmanager.tell(ALERT)
    eventually(lambda: alertmanager.outcomes["failed"] == 1)
    eventually(lambda: "Alertmanager was not told" in caplog.text)


def test_an_alertmanager_that_comes_back_is_told_once(receiver: Receiver) -> None:
    receiver.failing = [503, 429]
    alertmanager = Alertmanager(receiver.url, {}, pauses=(0.01, 0.01))
    alertmanager.tell(ALERT)
    eventually(lambda: alertmanager.outcomes["sent"] == 1)
    assert (len(receiver.bodies), alertmanager.outcomes["failed"]) == (3, 0)


def test_what_alertmanager_does_not_like_is_not_sent_again(receiver: Receiver) -> None:
    receiver.failing = [400]
    alertmanager = Alertmanager(receiver.url, {})
    alertmanager.tell(ALERT)
    eventually(lambda: alertmanager.outcomes["failed"] == 1)
    assert len(receiver.bodies) == 1


def test_alerts_beyond_what_can_wait_are_dropped_and_counted(receiver: Receiver) -> None:
    alertmanager = Alertmanager(receiver.url, {})
    for _ in range(WAITING_AT_MOST):
        alertmanager._waiting.put_nowait(ALERT)
    alertmanager.tell(ALERT)
    assert alertmanager.outcomes["dropped"] == 1


def test_an_alert_tells_where_to_look() -> None:
    (told,) = payload(replace(ALERT, occurrence=replace(ERROR, route="/orders/{id}")), {})
    assert told["annotations"] == {
        "summary": "ValueError (SYSTEM_9001) happened 3 times",
        "error_id": "mita_000000000000",
        "trace_id": "a" * 32,
        "route": "/orders/{id}",
        "version": "1.0",
    }
