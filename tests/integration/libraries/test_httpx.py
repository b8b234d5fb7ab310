import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.instrumentation.utils import suppress_http_instrumentation, suppress_instrumentation

from mita_otel import correlation
from mita_otel.libraries import httpx as instrumentation
from tests.unit.libraries.recording import Recording


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers it got; `/status/418` with that status; `/redirect` elsewhere; `/hang` with nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/hang":
            self.rfile.read(1)
            return
        status = int(path.rpartition("/")[2]) if path.startswith("/status/") else 302 if path == "/redirect" else 200
        body = "\n".join(f"{name.lower()}: {value}" for name, value in self.headers.items()).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("location", f"http://localhost:{self.server.server_port}/")  # type: ignore[attr-defined] # an HTTPServer
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name upstream
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """A real server on a free port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def url(server: ThreadingHTTPServer) -> str:
    """Where it listens."""
    return f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def client(recording: Recording) -> Iterator[httpx.Client]:
    """An instrumented client."""
    instrumentation.instrument(recording.telemetry)
    with httpx.Client(trust_env=False, timeout=5) as client:
        yield client


@pytest.fixture
async def async_client(recording: Recording) -> AsyncIterator[httpx.AsyncClient]:
    """The same, asynchronous."""
    instrumentation.instrument(recording.telemetry)
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        yield client


@pytest.fixture
def correlation_id() -> Iterator[str]:
    """The id of the request that is being served."""
    token = correlation.bind("request-1")
    yield "request-1"
    correlation.unbind(token)


def received(response: httpx.Response) -> dict[str, str]:
    """The headers that reached the server."""
    return dict(line.split(": ", 1) for line in response.text.splitlines())


def test_a_call_is_one_span_with_the_stable_names(
    client: httpx.Client, url: str, server: ThreadingHTTPServer, recording: Recording
) -> None:
    with recording.request():
        client.get(f"{url}/rates/EUR")

    assert recording.tree() == ["request > GET"]
    [span] = recording.calls
    assert span.attributes == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": server.server_port,
        "url.full": f"{url}/rates/EUR",
        "http.response.status_code": 200,
        "network.protocol.version": "1.1",
    }
    assert span.status.status_code is trace.StatusCode.UNSET


def test_the_duration_has_neither_path_nor_query(
    client: httpx.Client, url: str, server: ThreadingHTTPServer, recording: Recording
) -> None:
    for number in range(3):
        client.get(f"{url}/rates/{number}", params={"q": number})

    assert recording.points("http.client.request.duration") == [
        (
            {
                "http.request.method": "GET",
                "server.address": "127.0.0.1",
                "server.port": server.server_port,
                "http.response.status_code": 200,
                "network.protocol.version": "1.1",
            },
            3,
        )
    ]


def test_credentials_in_the_url_never_reach_the_span(client: httpx.Client, url: str, recording: Recording) -> None:
    client.get(url.replace("http://", "http://anna:hunter2@") + "/", params={"token": "s3cret", "page": "2"})

    [span] = recording.calls
    assert "hunter2" not in span.to_json()
    assert "s3cret" not in span.to_json()
    assert "page=2" in span.to_json()


def test_the_trace_is_passed_on(client: httpx.Client, url: str, recording: Recording) -> None:
    response = client.get(url)

    [span] = recording.calls
    assert span.context is not None
    version, trace_id, span_id, flags = received(response)["traceparent"].split("-")
    assert (version, trace_id, span_id) == ("00", f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}")
    assert int(flags, 16) & trace.TraceFlags.SAMPLED


def test_the_correlation_id_is_passed_on(client: httpx.Client, url: str, correlation_id: str) -> None:
    assert received(client.get(url))["x-correlation-id"] == correlation_id


def test_a_correlation_id_of_the_callers_wins(client: httpx.Client, url: str, correlation_id: str) -> None:
    response = client.get(url, headers={"X-Correlation-Id": "mine"})

    assert received(response)["x-correlation-id"] == "mine"


def test_outside_a_request_no_correlation_id_is_sent(client: httpx.Client, url: str) -> None:
    assert "x-correlation-id" not in received(client.get(url))


def test_the_applications_request_stays_as_it_was(client: httpx.Client, url: str, correlation_id: str) -> None:
    response = client.get(url)

    assert "traceparent" not in response.request.headers
    assert "x-correlation-id" not in response.request.headers


def test_baggage_goes_only_to_the_hosts_that_are_listed(url: str) -> None:
    recording = Recording(environment={"MITA_BAGGAGE_HOSTS": "127.0.0.1"})
    instrumentation.instrument(recording.telemetry)
    token = context.attach(baggage.set_baggage("tenant", "acme"))
    with httpx.Client(trust_env=False) as client:
        listed = received(client.get(url))
        other = received(client.get(url.replace("127.0.0.1", "localhost")))
    context.detach(token)
    recording.shutdown()

    assert listed["baggage"] == "tenant=acme"
    assert "baggage" not in other


def test_each_request_of_a_redirect_is_a_span(
    client: httpx.Client, url: str, recording: Recording, correlation_id: str
) -> None:
    with recording.request():
        response = client.get(f"{url}/redirect", follow_redirects=True)

    assert recording.tree() == ["request > GET", "request > GET"]
    assert [span.attributes["server.address"] for span in recording.calls if span.attributes] == [
        "127.0.0.1",
        "localhost",
    ]
    last = recording.calls[-1].context
    assert last is not None
    assert received(response)["traceparent"].split("-")[2] == f"{last.span_id:016x}"
    assert received(response)["x-correlation-id"] == correlation_id


@pytest.mark.parametrize("status", [404, 503])
def test_an_error_status_is_an_error(client: httpx.Client, url: str, recording: Recording, status: int) -> None:
    client.get(f"{url}/status/{status}")

    [span] = recording.calls
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == str(status)
    [(attributes, _)] = recording.points("http.client.request.duration")
    assert attributes["error.type"] == str(status)


def test_a_server_that_is_not_there_is_an_error(client: httpx.Client, free_port: int, recording: Recording) -> None:
    with pytest.raises(httpx.ConnectError):
        client.get(f"http://127.0.0.1:{free_port}/secret")

    [span] = recording.calls
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description is None
    assert span.attributes is not None
    assert span.attributes["error.type"] == "httpx.ConnectError"


def test_a_method_that_is_not_standard_has_no_series_of_its_own(
    client: httpx.Client, url: str, recording: Recording
) -> None:
    client.request("BREW", url)

    [span] = recording.calls
    assert span.name == "HTTP"
    assert span.attributes is not None
    assert span.attributes["http.request.method_original"] == "BREW"
    [(attributes, _)] = recording.points("http.client.request.duration")
    assert attributes["http.request.method"] == "_OTHER"


def test_a_streamed_response_ends_the_span_at_its_headers(client: httpx.Client, url: str, recording: Recording) -> None:
    with client.stream("GET", url) as response:
        assert recording.names == ["GET"]
        response.read()

    assert recording.names == ["GET"]


def test_without_sampling_context_and_durations_are_kept(url: str, unsampled: Recording, correlation_id: str) -> None:
    instrumentation.instrument(unsampled.telemetry)
    with unsampled.request() as request, httpx.Client(trust_env=False) as client:
        headers = received(client.get(url))

    assert unsampled.finished == ()
    assert len(unsampled.points("http.client.request.duration")) == 1
    assert headers["traceparent"].startswith(f"00-{request.get_span_context().trace_id:032x}-")
    assert not int(headers["traceparent"].rpartition("-")[2], 16) & trace.TraceFlags.SAMPLED
    assert headers["x-correlation-id"] == correlation_id


@pytest.mark.parametrize("suppress", [suppress_instrumentation, suppress_http_instrumentation])
def test_suppressed_instrumentation_sends_the_correlation_id_alone(
    client: httpx.Client, url: str, recording: Recording, correlation_id: str, suppress: Any
) -> None:
    with suppress():
        headers = received(client.get(url))

    assert recording.finished == ()
    assert recording.points("http.client.request.duration") == []
    assert "traceparent" not in headers
    assert headers["x-correlation-id"] == correlation_id


async def test_an_async_call_is_traced_the_same(
    async_client: httpx.AsyncClient, url: str, recording: Recording, correlation_id: str
) -> None:
    with recording.request():
        headers = received(await async_client.get(url))

    assert recording.tree() == ["request > GET"]
    assert headers["x-correlation-id"] == correlation_id
    assert "traceparent" in headers


async def test_concurrent_calls_have_their_own_parents(
    async_client: httpx.AsyncClient, url: str, recording: Recording
) -> None:
    async def serve(number: int) -> None:
        with recording.request(f"request {number}"):
            await async_client.get(url)

    await asyncio.gather(*(serve(number) for number in range(10)))

    assert sorted(recording.tree()) == [f"request {number} > GET" for number in range(10)]


async def test_a_cancelled_call_ends_its_span(async_client: httpx.AsyncClient, url: str, recording: Recording) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await async_client.get(f"{url}/hang")

    assert trace.get_current_span() is trace.INVALID_SPAN
    [span] = recording.calls
    assert span.attributes is not None
    assert span.attributes["error.type"] == "asyncio.exceptions.CancelledError"


def test_a_fault_of_ours_does_not_reach_the_application(
    client: httpx.Client, url: str, recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(instrumentation, "_origin", fail)
    assert client.get(url).status_code == 200
    monkeypatch.undo()
    monkeypatch.setattr(instrumentation, "_outcome", fail)
    assert client.get(url).status_code == 200

    assert trace.get_current_span() is trace.INVALID_SPAN


def test_undone_it_leaves_no_trace(client: httpx.Client, url: str, recording: Recording) -> None:
    instrumented = instrumentation.instrument(recording.telemetry)
    assert instrumented is instrumentation.instrument(recording.telemetry)
    instrumented.undo()
    client.get(url)

    assert recording.finished == ()
    assert not hasattr(httpx.HTTPTransport.handle_request, "__wrapped__")
