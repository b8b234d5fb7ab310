"""The command: what it listens on, whom it lets in, and what it says when it cannot start."""

import socket
from pathlib import Path

import grpc  # type: ignore[import-untyped] # grpcio ships no types
import httpx
import pytest

from tests.fixtures.otlp_requests import gauge, metrics, span, traces
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceFactory
from tests.integration.console.conftest import PROTOBUF, Console, StartConsole

TOKEN = "correct-horse-battery"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def test_every_http_port_serves_everything(console: Console) -> None:
    for address in (console.page, console.http):
        assert httpx.get(f"{address}/").headers["content-type"].startswith("text/html")
        assert httpx.get(f"{address}/assets/main.js").status_code == 200
        assert httpx.get(f"{address}/api/console/status").json()["spans"] == 0
        answer = httpx.post(f"{address}/v1/metrics", content=metrics(gauge()).SerializeToString(), headers=PROTOBUF)
        assert answer.status_code == 200


def test_the_status_tells_the_limits(start_console: StartConsole) -> None:
    console = start_console("--max-size", "64MiB", "--max-age", "2h")
    status = httpx.get(f"{console.page}/api/console/status").json()
    assert (status["max_size"], status["max_age"]) == (64 * 1024 * 1024, 7200)


def test_assets_do_not_lead_out_of_their_folder(console: Console) -> None:
    for path in ("/assets/../server.py", "/assets/%2e%2e/server.py", "/assets//etc/passwd", "/assets/..%2fserver.py"):
        host, port = console.page.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
            assert b" 404 " in connection.makefile("rb").readline()


def test_a_stranger_needs_the_token_everywhere(start_console: StartConsole) -> None:
    console = start_console("--host", "127.0.0.1", environment={"MITA_CONSOLE_TOKEN": TOKEN})
    body = traces(span()).SerializeToString()
    assert httpx.get(f"{console.page}/").status_code == 401
    assert httpx.get(f"{console.page}/api/console/status").status_code == 401
    assert console.post("traces", body).status_code == 401
    assert console.post("traces", body, {**PROTOBUF, "authorization": f"Bearer {TOKEN}"}).status_code == 200
    with grpc.insecure_channel(console.grpc.removeprefix("http://")) as channel:
        export = channel.unary_unary(EXPORT)
        with pytest.raises(grpc.RpcError) as error:
            export(body, timeout=10)
        assert error.value.code() == grpc.StatusCode.UNAUTHENTICATED
        export(body, timeout=10, metadata=[("authorization", f"Bearer {TOKEN}")])
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(f"{console.page}/?token={TOKEN}")
        assert page.status_code == 200
        assert TOKEN not in str(page.url)
        assert browser.get(f"{console.page}/api/console/status").json()["spans"] == 2
    assert TOKEN not in console.process.stdout + console.process.stderr


def test_all_interfaces_are_served_with_a_token(start_service: ServiceFactory) -> None:
    port = find_free_port()
    options = ["--host", "0.0.0.0", "--port", str(port), "--otlp-http-port", str(port), "--otlp-grpc-port", "none"]
    process = start_service(["mita-otel", "console", *options, "--token", TOKEN], {}, url=f"http://127.0.0.1:{port}/")
    headers = {"host": "some-name:99", "authorization": f"Bearer {TOKEN}"}
    assert httpx.get(f"http://127.0.0.1:{port}/", headers=headers).status_code == 200
    assert "gRPC" not in process.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "MITA_CONSOLE_TOKEN"),
        (["--host", "no.such.host.invalid", "--token", TOKEN], "--host no.such.host.invalid"),
        (["--max-size", "much"], "--max-size much"),
        (["--max-age", "long"], "--max-age long"),
        (["--otlp-grpc-port", "often"], "--otlp-grpc-port often"),
        (["--token", "short"], "--token"),
    ],
)
def test_a_wrong_option_is_named(start_service: ServiceFactory, options: list[str], said: str) -> None:
    process = start_service(["mita-otel", "console", "--port", "0", "--otlp-http-port", "0", *options], {})
    assert process.wait() == 1
    assert said in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize("option", ["--port", "--otlp-http-port", "--otlp-grpc-port"])
def test_a_port_that_is_taken_is_named(start_service: ServiceFactory, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = dict.fromkeys(("--port", "--otlp-http-port", "--otlp-grpc-port"), "0")
        ports[option] = str(taken.getsockname()[1])
        process = start_service(["mita-otel", "console", *(word for pair in ports.items() for word in pair)], {})
        assert process.wait() == 1
        assert f"{option} {ports[option]} of 127.0.0.1: Address already in use; choose another" in process.stderr


def test_a_folder_serves_one_console(start_service: ServiceFactory, console: Console) -> None:
    ports = ["--port", "0", "--otlp-http-port", "0", "--otlp-grpc-port", "none"]
    process = start_service(["mita-otel", "console", *ports, "--folder", str(console.folder)], {})
    assert process.wait() == 1
    assert "another console uses it" in process.stderr


def test_a_foreign_file_is_left_alone(start_service: ServiceFactory, tmp_path: Path) -> None:
    (tmp_path / "console.db").write_bytes(b"something else" * 1000)
    ports = ["--port", "0", "--otlp-http-port", "0", "--otlp-grpc-port", "none"]
    process = start_service(["mita-otel", "console", *ports, "--folder", str(tmp_path)], {})
    assert process.wait() == 1
    assert "choose another folder" in process.stderr
    assert (tmp_path / "console.db").read_bytes() == b"something else" * 1000
