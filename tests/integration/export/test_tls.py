"""Over TLS the receiver proves who it is, and the sender too where it is asked.

`tls/` holds a throw-away key and a certificate for localhost, signed by itself, that serve both sides here.
"""

import http.server
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc  # type: ignore[import-untyped]  # grpcio ships no types
import pytest

from mita_otel.export import Accepted, Outcome, Retry, open_sender, otlp_endpoint
from mita_otel.export.grpc import METHODS

TLS = Path(__file__).parent / "tls"
CERTIFICATE, KEY = str(TLS / "certificate.pem"), str(TLS / "key.pem")
P = "OTEL_EXPORTER_OTLP_"
TRUST = {P + "CERTIFICATE": CERTIFICATE}
MUTUAL = TRUST | {P + "CLIENT_CERTIFICATE": CERTIFICATE, P + "CLIENT_KEY": KEY}


class Quiet(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A handshake that fails is what some tests are about."""


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the overridden method's name
        """Say nothing."""


@pytest.fixture
def https_port() -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    context.load_verify_locations(CERTIFICATE)
    context.verify_mode = ssl.CERT_REQUIRED
    server = Quiet(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.fixture
def grpcs_port() -> Iterator[int]:
    server = grpc.server(ThreadPoolExecutor(2))
    service, _, method = METHODS["traces"][1:].partition("/")
    answer = grpc.unary_unary_rpc_method_handler(lambda _payload, _context: b"")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: answer}),))
    key, certificate = Path(KEY).read_bytes(), Path(CERTIFICATE).read_bytes()
    credentials = grpc.ssl_server_credentials([(key, certificate)], certificate, require_client_auth=True)
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    yield port
    server.stop(0).wait()


def send(environment: dict[str, str]) -> Outcome:
    sender = open_sender(otlp_endpoint(environment, "traces"), "traces")
    try:
        return sender.send(b"", 5)
    finally:
        sender.close()


def test_https_with_both_certificates_delivers(https_port: int) -> None:
    assert send(MUTUAL | {P + "ENDPOINT": f"https://localhost:{https_port}"}) == Accepted()


def test_https_to_a_receiver_that_is_not_trusted_fails(https_port: int) -> None:
    outcome = send({P + "ENDPOINT": f"https://localhost:{https_port}"})
    assert outcome == Retry("TLS: CERTIFICATE_VERIFY_FAILED")


def test_https_without_the_certificate_that_is_asked_for_fails(https_port: int) -> None:
    assert isinstance(send(TRUST | {P + "ENDPOINT": f"https://localhost:{https_port}"}), Retry)


def test_grpc_over_tls_with_both_certificates_delivers(grpcs_port: int) -> None:
    environment = {P + "PROTOCOL": "grpc", P + "ENDPOINT": f"https://localhost:{grpcs_port}"}
    assert send(MUTUAL | environment) == Accepted()


def test_grpc_over_tls_to_a_receiver_that_is_not_trusted_fails(grpcs_port: int) -> None:
    assert isinstance(send({P + "PROTOCOL": "grpc", P + "ENDPOINT": f"https://localhost:{grpcs_port}"}), Retry)


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_certificate_file_that_is_missing_is_an_error_at_start(protocol: str) -> None:
    environment = {P + "PROTOCOL": protocol, P + "ENDPOINT": "https://localhost:1", P + "CERTIFICATE": "/missing.pem"}
    with pytest.raises(FileNotFoundError):
        open_sender(otlp_endpoint(environment, "traces"), "traces")
