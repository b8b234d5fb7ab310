"""The collector's overlays, live: who may send, what is kept, and that it arrives."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from mita_otel.export import Accepted, Outcome, Refused, Retry, open_sender, otlp_endpoint
from mita_otel.stack import NativeStack, native_stack
from tests.fixtures.certificates import Authority, Identity
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceProcess
from tests.integration.service.conftest import APPLICATION
from tests.stack.otlp import Backends, Span, trace_request

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

P = "OTEL_EXPORTER_OTLP_"
PROTOCOLS = ("http/protobuf", "grpc")
TOKEN = "t0ken"
BEARER = {P + "HEADERS": f"authorization=Bearer%20{TOKEN}"}


@contextmanager
def overlaid(
    binaries: Mapping[str, Path], folder: Path, *overlays: str, **variables: str
) -> Iterator[tuple[NativeStack, Backends]]:
    """A stack of one's own with overlays; keyword arguments are variables of the collector."""
    with native_stack(folder, binaries, overlays=overlays, variables=variables) as stack:
        yield stack, Backends(stack.endpoints)


def address(backends: Backends, protocol: str, *, scheme: str = "http") -> dict[str, str]:
    """Return the variables that lead an exporter to the collector by a protocol."""
    url = backends.endpoints.otlp_grpc if protocol == "grpc" else backends.endpoints.otlp_http
    return {P + "PROTOCOL": protocol, P + "ENDPOINT": url.replace("http://", f"{scheme}://")}


def send(environment: Mapping[str, str], service: str, *spans: Span) -> Outcome:
    """Send spans once by our own exporter's sender."""
    sender = open_sender(otlp_endpoint(environment, "traces"), "traces")
    try:
        return sender.send(trace_request(service, *spans).SerializeToString(), 10)
    finally:
        sender.close()


def deliver(environment: Mapping[str, str], service: str, *spans: Span) -> None:
    """Send spans as exporters do: again while the receiver is not there yet."""
    eventually(lambda: send(environment, service, *spans) == Accepted())


def arrived(backends: Backends, service: str) -> list[str]:
    return [span["operationName"] for span in backends.spans(service)]


@pytest.fixture
def service() -> str:
    """A name that no other test sends under."""
    return f"svc-{uuid4().hex[:12]}"


@dataclass(frozen=True)
class Tls:
    """A collector that speaks TLS only, and who could talk to it."""

    backends: Backends
    trusted: Identity
    client: Identity
    stranger: Identity

    def address(self, protocol: str, client: Identity | None) -> dict[str, str]:
        """Return the variables of a client that trusts the collector, with a certificate or without."""
        trust = {**address(self.backends, protocol, scheme="https"), P + "CERTIFICATE": str(self.trusted.certificate)}
        if client is None:
            return trust
        return {**trust, P + "CLIENT_CERTIFICATE": str(client.certificate), P + "CLIENT_KEY": str(client.key)}


@pytest.fixture(scope="module")
def tls(binaries: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    folder = tmp_path_factory.mktemp("tls")
    authority, other = Authority(folder, "ca"), Authority(folder, "other-ca")
    authority.sign("server")
    with overlaid(binaries, folder / "stack", "tls", STACK_TLS_DIR=str(folder)) as (_, backends):
        yield Tls(backends, authority.own, authority.sign("client"), other.sign("stranger"))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_service_with_a_certificate_delivers_over_tls(
    tls: Tls, service: str, protocol: str, start_service: Callable[..., ServiceProcess]
) -> None:
    port = find_free_port()
    process = start_service(
        ["opentelemetry-instrument", "uvicorn", APPLICATION, "--port", str(port)],
        {
            **tls.address(protocol, tls.client),
            "OTEL_SERVICE_NAME": service,
            "MITA_STRICT": "1",
            "PYTHONPATH": ".",
        },
        url=f"http://127.0.0.1:{port}/health",
    )
    assert httpx.get(f"http://127.0.0.1:{port}/items/1").status_code == 200
    process.terminate()
    process.wait(20)
    eventually(lambda: arrived(tls.backends, service) == ["GET /items/{item}"], timeout=20)
    eventually(lambda: tls.backends.logs(f'{{service_name="{service}"}} |= "item 1 read"'), timeout=20)
    counted = f'http_server_request_duration_seconds_count{{service_name="{service}"}}'
    eventually(lambda: list(tls.backends.series(f"last_over_time({counted}[10m])").values()) == [1], timeout=20)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("who", ["nobody", "stranger"])
def test_who_has_no_certificate_of_the_authority_is_refused_and_may_try_again(
    tls: Tls, service: str, protocol: str, who: str
) -> None:
    client = tls.stranger if who == "stranger" else None
    outcome = send(tls.address(protocol, client), service, Span("refused", {}))
    assert isinstance(outcome, Retry)
    assert outcome.reason.startswith(("TLS: ", "gRPC UNAVAILABLE"))
    deliver(tls.address(protocol, tls.client), service, Span("taken", {}))
    eventually(lambda: arrived(tls.backends, service) == ["taken"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_collector_of_another_authority_is_sent_nothing(tls: Tls, service: str, protocol: str) -> None:
    trusting = tls.address(protocol, tls.client) | {P + "CERTIFICATE": str(tls.stranger.certificate)}
    assert isinstance(send(trusting, service, Span("kept back", {})), Retry)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_text_is_not_taken_where_tls_is_asked_for(tls: Tls, service: str, protocol: str) -> None:
    outcome = send(address(tls.backends, protocol), service, Span("in plain text", {}))
    assert isinstance(outcome, Refused | Retry)


@pytest.fixture(scope="module")
def guarded(binaries: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backends]:
    """The backends of a collector that wants a token."""
    folder = tmp_path_factory.mktemp("token")
    with overlaid(binaries, folder, "token", STACK_OTLP_TOKEN=TOKEN) as (_, backends):
        yield backends


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_who_knows_the_token_delivers(guarded: Backends, service: str, protocol: str) -> None:
    deliver(address(guarded, protocol) | BEARER, service, Span("with a token", {}))
    eventually(lambda: arrived(guarded, service) == ["with a token"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("headers", [{}, {P + "HEADERS": "authorization=Bearer%20wrong"}], ids=["none", "wrong"])
def test_who_does_not_know_the_token_is_refused(
    guarded: Backends, service: str, protocol: str, headers: dict[str, str]
) -> None:
    outcome = send(address(guarded, protocol) | headers, service, Span("without a token", {}))
    assert outcome == Refused("gRPC UNAUTHENTICATED" if protocol == "grpc" else "HTTP 401")


def test_tail_sampling_keeps_what_failed_what_was_marked_and_a_part_of_the_rest(
    binaries: Mapping[str, Path], tmp_path: Path, service: str
) -> None:
    with overlaid(binaries, tmp_path, "tail-sampling", STACK_TAIL_WAIT="1s") as (_, backends):
        kept = [Span("failed", {}, "declined"), Span("money", {"http.route": "/api/payments/{id}"})]
        for number in range(100):
            for span in (*(kept if number < 10 else ()), Span("rest", {})):
                deliver(address(backends, PROTOCOLS[0]), service, span)
        eventually(lambda: {arrived(backends, service).count(span.name) for span in kept} == {10}, timeout=30)
        # A tenth of a hundred: outside this range about once in a hundred thousand times.
        assert 1 <= eventually(lambda: arrived(backends, service).count("rest"), timeout=30) < 30


def test_what_a_synced_queue_holds_survives_a_killed_collector(
    binaries: Mapping[str, Path], tmp_path: Path, service: str
) -> None:
    with overlaid(binaries, tmp_path, "fsync") as (stack, backends):
        stack.kill("jaeger")
        deliver(address(backends, PROTOCOLS[0]), service, Span("synced", {}))
        stack.kill("otelcol")
        stack.up(standard=False)
        eventually(lambda: arrived(backends, service) == ["synced"], timeout=60)


def test_all_overlays_together_deliver(binaries: Mapping[str, Path], tmp_path: Path, service: str) -> None:
    authority = Authority(tmp_path, "ca")
    authority.sign("server")
    client = authority.sign("client")
    overlays = ("tls", "token", "fsync", "tail-sampling")
    variables = {"STACK_TLS_DIR": str(tmp_path), "STACK_OTLP_TOKEN": TOKEN, "STACK_TAIL_WAIT": "1s"}
    with overlaid(binaries, tmp_path / "stack", *overlays, **variables) as (_, backends):
        everything = Tls(backends, authority.own, client, client).address("grpc", client) | BEARER
        deliver(everything, service, Span("failed", {}, "declined"))
        eventually(lambda: arrived(backends, service) == ["failed"], timeout=30)
