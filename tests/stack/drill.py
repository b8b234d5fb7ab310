"""What a fault drill needs: services that break as they are asked to, ways that can be cut, and those who are told."""

import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from mita_otel.stack import Cache, NativeStack, build_all, default_cache, native_stack
from mita_otel.stack.recipes import for_tests
from tests.fixtures.alert_sinks import Sinks, alert_sinks_running
from tests.fixtures.polling import eventually, find_free_port
from tests.fixtures.service import ServiceFactory, ServiceProcess, services
from tests.stack.alerting import write_configuration
from tests.stack.hastened import write_collector

SPEED = 10.0
"""Of Alertmanager: pages wait a second and are looked at every three, tickets three and twelve."""


class Ways:
    """TCP connections that can be cut: Toxiproxy."""

    def __init__(self, control: str) -> None:
        self._client = httpx.Client(base_url=control, headers={"user-agent": "drill"}, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def open(self, name: str, port: int, to: str) -> None:
        proxy = {"name": name, "listen": f"127.0.0.1:{port}", "upstream": to, "enabled": True}
        self._client.post("/proxies", json=proxy).raise_for_status()

    def cut(self, name: str, *, whole: bool = False) -> None:
        self._client.post(f"/proxies/{name}", json={"enabled": whole}).raise_for_status()


@contextmanager
def ways_running() -> Iterator[Ways]:
    program = build_all(Cache(default_cache()), wanted=for_tests)["toxiproxy"]
    port = find_free_port()
    with subprocess.Popen(
        [program, "-host", "127.0.0.1", "-port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        try:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: httpx.get(f"{url}/version", headers={"user-agent": "d"}, trust_env=False).is_success)
            with closing(Ways(url)) as ways:
                yield ways
        finally:
            child.kill()


@dataclass
class Service:
    """One of the services, and what is asked of it all the time."""

    name: str
    url: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: ServiceProcess | None = None
    paths: Sequence[str] = ()
    pause: float = 1.0
    ended: threading.Event = field(default_factory=threading.Event)

    def ask(self, *paths: str, pause: float) -> None:
        """Ask for these paths in turn from now on, so many seconds apart, whatever the answers are."""
        self.paths, self.pause = paths, pause

    def serve(self) -> None:
        """Ask for what is to be asked for, until the drill is over."""
        with httpx.Client(base_url=self.url, trust_env=False, timeout=10) as client:
            asked: Sequence[str] = ()
            turns: Iterator[str] = iter(())
            while not self.ended.wait(self.pause):
                if asked != self.paths:
                    asked, turns = self.paths, cycle(self.paths)
                path = next(turns, None)
                if path is not None:
                    self._get(client, path)

    @staticmethod
    def _get(client: httpx.Client, path: str) -> None:
        try:
            client.get(path)
        except httpx.HTTPError:
            return


@dataclass
class Drill:
    """Everything together."""

    stack: NativeStack
    sinks: Sinks
    ways: Ways
    services: Mapping[str, Service]
    starter: ServiceFactory

    def told(self, about: str, status: str = "firing") -> dict[str, set[str]]:
        """Return by which channels each alert about something was told."""
        found: dict[str, set[str]] = {}
        for message in self.sinks.told(about=about, status=status):
            found.setdefault(message.alert, set()).add(message.channel)
        return found

    def firing(self, alert: str, about: str = "") -> bool:
        """Say whether Prometheus holds an alert to be firing, of a service or of none."""
        query = f'ALERTS{{alertname="{alert}", alertstate="firing", service_name="{about}"}}'
        return bool(self.asked(f"{self.stack.endpoints.prometheus}/api/v1/query", query=query)["data"]["result"])

    def suppressed(self, about: str) -> set[str]:
        """Return the alerts about a service that Alertmanager keeps to itself because of another one."""
        found = self.asked(f"{self.stack.endpoints.alertmanager}/api/v2/alerts", filter=f'service_name="{about}"')
        return {each["labels"]["alertname"] for each in found if each["status"]["inhibitedBy"]}

    @staticmethod
    def asked(url: str, **query: str) -> Any:
        return httpx.get(url, params=query, trust_env=False, timeout=10).json()

    def start(self, kind: str) -> None:
        """Start a service again that was killed."""
        service = self.services[kind]
        service.process = self.starter(service.command, service.environment)


def _command(port: int) -> list[str]:
    return ["opentelemetry-instrument", "uvicorn", "tests.stack.drilled:app", "--port", str(port)]


def _described(stack: NativeStack, kinds: Mapping[str, Mapping[str, str]]) -> dict[str, Service]:
    found = {}
    for kind, further in kinds.items():
        port = find_free_port()
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": stack.endpoints.otlp_http,
            "OTEL_SERVICE_NAME": (name := f"{kind}-{uuid4().hex[:6]}"),
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "MITA_STRICT": "1",
            "PYTHONPATH": ".",
            **further,
        }
        found[kind] = Service(name, f"http://127.0.0.1:{port}", _command(port), environment)
    return found


@contextmanager
def drill_running(
    folder: Path, binaries: Mapping[str, Path], database: tuple[str, str], kinds: Mapping[str, Mapping[str, str]]
) -> Iterator[Drill]:
    """Run a hastened stack and services on it, each asked for what is fine.

    Args:
        folder: for everything.
        binaries: of the stack.
        database: its address, and its URL in which `ADDRESS` stands for one.
        kinds: further variables of each service; `DATABASE_URL` gets an address of its own, which can be cut.
    """
    with ExitStack() as open_:
        sinks = open_.enter_context(alert_sinks_running(folder / "receivers"))
        ways = open_.enter_context(ways_running())
        jaeger, postgres = find_free_port(), find_free_port()
        ways.open("database", postgres, database[0])
        stack = open_.enter_context(
            native_stack(
                folder / "stack",
                binaries,
                variables={"STACK_JAEGER_OTLP": f"127.0.0.1:{jaeger}", "STACK_QUEUE_BYTES": "134217728"},
                receivers=sinks.folder,
                collector=write_collector(folder / "collector"),
            )
        )
        ways.open("jaeger", jaeger, f"127.0.0.1:{stack.ports.jaeger_otlp}")
        write_configuration(stack.folder / "config" / "alertmanager", sinks.folder, SPEED)
        httpx.post(f"{stack.endpoints.alertmanager}/-/reload", trust_env=False).raise_for_status()
        start = open_.enter_context(services(folder))
        own = {
            kind: {
                name: value.replace("DATABASE", database[1].replace("ADDRESS", f"127.0.0.1:{postgres}"))
                for name, value in further.items()
            }
            for kind, further in kinds.items()
        }
        described = _described(stack, own)
        for service in described.values():
            service.process = start(service.command, service.environment)
            open_.callback(service.ended.set)
        for service in described.values():
            assert service.process
            service.process.wait_until_it_answers(f"{service.url}/fine", 60)
            service.ask("/fine", pause=0.2)
            threading.Thread(target=service.serve, daemon=True).start()
        yield Drill(stack, sinks, ways, described, start)
