"""The stack as containers, by `docker compose`."""

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mita_otel.alerts.channels import ReceiversError
from mita_otel.settings import environment
from mita_otel.stack import versions
from mita_otel.stack.model import NAMES, Endpoints, Report, StackError, State, Status, silent, versions_by_component
from mita_otel.stack.ports import Ports
from mita_otel.stack.readiness import answers, wait_until_ready
from mita_otel.stack.receivers import write

_PROBE_TIMEOUT: Final = 5.0
"""Seconds for an engine to say that it is there; a hanging one counts as none."""
_START_TIMEOUT: Final = 180.0
"""Seconds for containers that have their images to become ready."""
_SERVICES: Final = (*NAMES, "grafana")
_READY: Final = {
    "otelcol": "http://127.0.0.1:4318/v1/traces",
    "jaeger": "http://127.0.0.1:16686/",
    "prometheus": "http://127.0.0.1:9090/-/ready",
    "loki": "http://127.0.0.1:3100/ready",
    "alertmanager": "http://127.0.0.1:9093/-/ready",
    "grafana": "http://127.0.0.1:3000/api/health",
}
"""Asked from outside: some images hold nothing that could ask inside."""


def engine_answers(docker: str = "docker") -> bool:
    """Say whether a container engine with compose is running."""
    program = shutil.which(docker)
    return program is not None and all(_succeeds(program, *words) for words in (("info",), ("compose", "version")))


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=_PROBE_TIMEOUT, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


class ComposeStack:
    """The backends and Grafana in containers, on the standard ports.

    Args:
        docker: the client's program.
        receivers: a folder with secrets of the channels that alerts go to; without one they are only shown.
    """

    def __init__(self, docker: str = "docker", receivers: Path | None = None) -> None:
        self._docker = docker
        self._receivers = receivers

    @property
    def endpoints(self) -> Endpoints:
        """Where the stack answers."""
        return Ports().endpoints()

    def command(self, *words: str) -> list[str]:
        """Return a compose command line for this project."""
        return [self._docker, "compose", "--file", str(versions.root() / "docker-compose.yaml"), *words]

    def up(self, report: Report = silent) -> None:
        """Create and start the containers, and wait until everything answers.

        Raises:
            StackError: compose failed, or a container did not become ready.
        """
        if self._receivers is not None:
            _switch_on(self._receivers)
        report("starting containers; images that are missing are fetched first")
        self._run("up", "--detach", *_SERVICES)
        deadline = time.monotonic() + _START_TIMEOUT
        for name in _SERVICES:
            if not wait_until_ready(_READY[name], deadline, lambda: True):
                raise StackError(f"{name} did not answer at {_READY[name]}: see `mita-otel stack logs {name}`")
            report(f"{name} is ready")

    def down(self, report: Report = silent) -> None:
        """Stop and remove the containers; their volumes stay."""
        report("stopping containers")
        self._run("down")

    def clean(self) -> None:
        """Remove containers and volumes."""
        self._run("down", "--volumes", "--remove-orphans")

    def status(self) -> tuple[Status, ...]:
        """Return how each component is."""
        every = versions.read_versions()
        pinned = {str(name): version for name, version in versions_by_component(every).items()}
        pinned["grafana"] = every["GRAFANA_VERSION"]
        states = parse_states(self._run("ps", "--all", "--format", "json"))
        return tuple(
            Status(name, _state(states.get(name), _READY[name]), _base(_READY[name]), pinned[name])
            for name in _SERVICES
        )

    def logs(self, names: Sequence[str], lines: int, *, follow: bool) -> list[str]:
        """Return the command line that shows logs."""
        return self.command("logs", "--tail", str(lines), *(["--follow"] if follow else []), *names)

    def _run(self, *words: str) -> str:
        variables = dict(environment())
        if self._receivers is not None:
            variables["MITA_ALERT_RECEIVERS"] = str(self._receivers.absolute())
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False, env=variables)
        if done.returncode != 0:
            raise StackError(f"`docker compose {' '.join(words)}` failed:\n{done.stderr.strip()}")
        return done.stdout


def _switch_on(receivers: Path) -> None:
    try:
        write(receivers)
    except ReceiversError as error:
        raise StackError(f"the receivers of alerts cannot be used: {error}") from error


def parse_states(text: str) -> dict[str, str]:
    """Return the containers' states by service, from compose's JSON: an array, or an object on each line."""
    rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(row) for row in text.splitlines() if row]
    return {row["Service"]: row["State"] for row in rows}


def _state(container: str | None, ready_url: str) -> State:
    match container:
        case None:
            return "stopped"
        case "paused":
            return "paused"
        case "running":
            return "ready" if answers(ready_url) else "starting"
        case _:
            return "crashed"


def _base(url: str) -> str:
    return "/".join(url.split("/")[:3])
