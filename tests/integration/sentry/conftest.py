"""The service under `opentelemetry-instrument`, reporting to a real Bugsink and delivering to a receiver."""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count

import httpx
import pytest

from tests.fixtures.bugsink import Bugsink, bugsink_running
from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceProcess

_numbers = count(1)
MODULE = "tests.integration.sentry.service"


class Service:
    """A running service and a client for it."""

    def __init__(self, name: str, process: ServiceProcess, url: str) -> None:
        self.name = name
        self.process = process
        self.url = url
        # A server closes a connection after an error, and a client may not have noticed yet.
        self.client = httpx.Client(base_url=url, timeout=10, headers={"connection": "close"})

    def stop(self) -> tuple[int, float]:
        """End the service as an orchestrator does; return its exit status and the seconds it took."""
        began = time.monotonic()
        self.process.terminate()
        return self.process.wait(20), time.monotonic() - began


Launch = Callable[..., Service]


@pytest.fixture(scope="session")
def bugsink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    """One server for all of these tests; each service has a name of its own."""
    with bugsink_running(tmp_path_factory.mktemp("bugsink")) as server:
        yield server


@pytest.fixture
def launch(start_service: Callable[..., ServiceProcess], otlp_receiver: OtlpReceiver) -> Iterator[Launch]:
    """Start the service; `server` are the words of another server's command, arguments in capitals are variables."""
    launched: list[Service] = []

    def start(name: str = "app", server: Sequence[str] = ("uvicorn", "--port", "{port}"), **variables: str) -> Service:
        port = find_free_port()
        service = f"shop-{next(_numbers)}"
        process = start_service(
            ["opentelemetry-instrument", *(word.format(port=port) for word in server), f"{MODULE}:{name}"],
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint,
                "OTEL_SERVICE_NAME": service,
                "OTEL_RESOURCE_ATTRIBUTES": "service.version=1.4.2,deployment.environment.name=staging",
                "MITA_STRICT": "1",
                "PYTHONPATH": ".",
                **variables,
            },
        )
        process.wait_until_it_answers(f"http://127.0.0.1:{port}/health")
        launched.append(Service(service, process, f"http://127.0.0.1:{port}"))
        return launched[-1]

    yield start
    for each in launched:
        each.client.close()
