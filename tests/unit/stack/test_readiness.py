"""Asking whether a component serves."""

import http.server
import threading
import time
from collections.abc import Iterator

import pytest

from mita_otel.stack.readiness import answers, wait_until_ready


@pytest.fixture
def server() -> Iterator[str]:
    """Answers with the status that the path names."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(int(self.path[1:]))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as listener:
        threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield f"http://127.0.0.1:{listener.server_port}"
        listener.shutdown()


@pytest.mark.parametrize(("status", "ready"), [(200, True), (401, True), (405, True), (500, False), (503, False)])
def test_only_a_servers_own_error_means_not_ready(server: str, *, status: int, ready: bool) -> None:
    assert answers(f"{server}/{status}") is ready


def test_nobody_listening_is_not_ready(free_port: int) -> None:
    assert not answers(f"http://127.0.0.1:{free_port}/")


def test_waiting_ends_at_the_deadline(free_port: int) -> None:
    assert not wait_until_ready(f"http://127.0.0.1:{free_port}/", time.monotonic() + 0.1, lambda: True)


def test_waiting_ends_at_once_when_the_process_is_dead(free_port: int) -> None:
    began = time.monotonic()
    assert not wait_until_ready(f"http://127.0.0.1:{free_port}/", began + 60, lambda: False)
    assert time.monotonic() - began < 10
