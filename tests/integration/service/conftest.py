"""The example service under `opentelemetry-instrument`, delivering to a receiver that tests can read and break."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx
import pytest

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceProcess

APPLICATION = "tests.integration.service.example:app"


class Service:
    """A running service and a client for it."""

    def __init__(self, process: ServiceProcess, url: str) -> None:
        self.process = process
        self.url = url
        self.client = httpx.Client(base_url=url, timeout=10)

    def stop(self) -> int:
        """End the service as an orchestrator does; return its exit status."""
        self.client.close()
        self.process.terminate()
        return self.process.wait(20)


Launch = Callable[..., Service]


@pytest.fixture
def launch(start_service: Callable[..., ServiceProcess], otlp_receiver: OtlpReceiver) -> Iterator[Launch]:
    """Start the example service; keyword `command` replaces the server, keyword arguments in capitals are variables."""
    launched: list[Service] = []

    def start(command: Sequence[str] = (), **variables: str) -> Service:
        port = find_free_port()
        server = command or ["uvicorn", APPLICATION, "--port", "{port}"]
        process = start_service(
            ["opentelemetry-instrument", *(part.format(port=port) for part in server)],
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": otlp_receiver.http_endpoint,
                "OTEL_SERVICE_NAME": "example",
                "MITA_STRICT": "1",
                "PYTHONPATH": ".",
                **variables,
            },
        )
        process.wait_until_it_answers(f"http://127.0.0.1:{port}/health")
        service = Service(process, f"http://127.0.0.1:{port}")
        launched.append(service)
        return service

    yield start
    for service in launched:
        service.client.close()


@pytest.fixture
def of_kind() -> Callable[[OtlpReceiver, int], list[dict[str, Any]]]:
    """Pick spans by kind: 2 is SERVER, 3 is CLIENT."""
    return lambda receiver, kind: [span for span in receiver.spans if span["kind"] == kind]
