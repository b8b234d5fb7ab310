"""A real Alertmanager of a test's own, with everybody it tells."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from mita_otel.alerts.channels import read
from mita_otel.generate.alertmanager import configuration
from mita_otel.stack import versions
from tests.fixtures.alert_sinks import Sinks, alert_sinks_running
from tests.fixtures.polling import find_free_port
from tests.fixtures.service import ServiceProcess, services

SPEED = 100.0
"""Pages wait 0.1 s and are looked at again after 0.3 s; tickets 0.3 and 1.2 s, the rest 0.6 and 3 s."""

TEMPLATES = versions.root() / "collector" / "alertmanager" / "templates"


def moment(after: float = 0.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=after)).isoformat()


def alert(name: str, severity: str, /, *, lasting: float = 600.0, **labels: str) -> dict[str, Any]:
    """One as Prometheus sends it: it ends by itself unless it is sent again."""
    return {
        "labels": {"alertname": name, "severity": severity, **labels},
        "annotations": {"summary": f"{name} of {labels.get('service_name', 'nobody')}"},
        "startsAt": moment(-1),
        "endsAt": moment(lasting),
    }


class Manager:
    """Alertmanager, and what goes in and out."""

    def __init__(self, folder: Path, url: str, sinks: Sinks, process: ServiceProcess) -> None:
        self.folder = folder
        self.url = url
        self.sinks = sinks
        self.process = process
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=10)

    def close(self) -> None:
        self._client.close()

    def post(self, *alerts: Mapping[str, Any]) -> None:
        self._client.post("/api/v2/alerts", json=alerts).raise_for_status()

    def end(self, *alerts: Mapping[str, Any]) -> None:
        """Say that they are over."""
        self.post(*({**each, "endsAt": moment(-0.001)} for each in alerts))

    def states(self, *filters: str) -> dict[tuple[str, str], tuple[str, int]]:
        """Return state and number of inhibiting alerts by name and service."""
        found = self._client.get("/api/v2/alerts", params={"filter": list(filters)}).json()
        return {
            (each["labels"]["alertname"], each["labels"].get("service_name", "")): (
                each["status"]["state"],
                len(each["status"]["inhibitedBy"]),
            )
            for each in found
        }

    def reload(self) -> httpx.Response:
        return self._client.post("/-/reload")

    def counted(self, metric: str) -> float:
        """Return the sum of one of its own metrics over all labels."""
        rows = [
            row
            for row in self._client.get("/metrics").text.splitlines()
            if row.startswith((f"{metric}{{", f"{metric} "))
        ]
        return sum(float(row.rpartition(" ")[2]) for row in rows)


def write_configuration(folder: Path, receivers: Path, speed: float = SPEED) -> None:
    """Make a folder as a stack does that has receivers, only faster."""
    (folder / "templates").mkdir(parents=True, exist_ok=True)
    for template in TEMPLATES.glob("*.tmpl"):
        (folder / "templates" / template.name).write_text(template.read_text())
    (folder / "alertmanager.yml").write_text(configuration(read(receivers), receivers, speed))


@contextmanager
def manager_running(folder: Path, binaries: Mapping[str, Path]) -> Iterator[Manager]:
    """Run one, and those whom it tells."""
    own = folder / "alertmanager"
    with alert_sinks_running(folder / "receivers") as sinks, services(folder) as start:
        write_configuration(own, sinks.folder)
        url = f"http://127.0.0.1:{find_free_port()}"
        command = [
            str(binaries["alertmanager"]),
            f"--config.file={own / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address={url.removeprefix('http://')}",
            f"--web.external-url={url}",
            "--cluster.listen-address=",
        ]
        with closing(Manager(own, url, sinks, start(command, {}, url=f"{url}/-/ready"))) as manager:
            yield manager


def sample(
    status: str, *alerts: tuple[Mapping[str, str], Mapping[str, str]], common: Sequence[str] = ()
) -> dict[str, Any]:
    """What a template is given, as `amtool template render` reads it."""
    labels, annotations = alerts[0]
    return {
        "receiver": "page",
        "status": status,
        "externalURL": "http://alertmanager:9093",
        "groupLabels": {name: labels[name] for name in ("alertname", "service_name") if name in labels},
        "commonLabels": dict(labels),
        "commonAnnotations": {name: annotations[name] for name in common if name in annotations},
        "alerts": [
            {
                "status": status,
                "labels": dict(each),
                "annotations": dict(said),
                "startsAt": "2026-01-02T03:04:05Z",
                "endsAt": "2026-01-02T04:05:06Z",
            }
            for each, said in alerts
        ],
    }
