"""The five backends as native processes: command line, environment, and the URL that tells whether one serves."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mita_otel.stack.model import Name
from mita_otel.stack.ports import LOOPBACK, Ports

COLLECTOR_VARIABLES: Final = (
    "STACK_OTELCOL_MEMORY_MIB",
    "STACK_OTELCOL_SPIKE_MIB",
    "STACK_QUEUE_BYTES",
    "STACK_SPAN_METRICS_INTERVAL",
    "STACK_OTLP_TOKEN",
    "STACK_TAIL_WAIT",
    "STACK_TLS_DIR",
)
"""Variables of the collector's file and overlays that a user may set; the others are ours to fill in."""

_FEATURES: Final = (
    "exemplar-storage",  # else exemplars are dropped
    "otlp-deltatocumulative",  # else delta points are refused, with all that is sent along
    "created-timestamp-zero-ingestion",  # a counter's first value is an increase from zero, not a beginning
    "promql-extended-range-selectors",  # `increase(x[1h] anchored)` counts events, where `increase(x[1h])` estimates
)
PROMETHEUS_FLAGS: Final = (
    "--web.enable-otlp-receiver",
    f"--enable-feature={','.join(_FEATURES)}",
    "--storage.tsdb.retention.time=40d",
)
"""What OTLP, exact counts and budgets of 30 days, which by itself it would forget after 15, need of Prometheus."""


@dataclass(frozen=True, slots=True)
class Component:
    """A process to be: what to run, and the URL that answers once it serves."""

    name: Name
    command: tuple[str, ...]
    environment: dict[str, str]
    ready_url: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are: binaries by program name, the shared configuration, and the folder of this stack."""

    binaries: dict[str, Path]
    collector: Path
    folder: Path

    @property
    def prometheus(self) -> Path:
        """The folder of Prometheus' configuration, which is copied because it expands no variables."""
        return self.folder / "config" / "prometheus"

    @property
    def alertmanager(self) -> Path:
        """The folder of Alertmanager's configuration: a copy, or one with the receivers that a user switched on."""
        return self.folder / "config" / "alertmanager"

    @property
    def data(self) -> Path:
        """The folder of everything that the backends and the queue store."""
        return self.folder / "data"


def targets(ports: Ports) -> dict[str, str]:
    """Return the files with Prometheus' addresses, by name relative to its `targets/`."""
    scraped = {
        "otelcol": ports.otelcol_metrics,
        "jaeger": ports.jaeger_metrics,
        "loki": ports.loki,
        "prometheus": ports.prometheus,
        "alertmanager": ports.alertmanager,
    }
    rows = [f'- {{ targets: ["{LOOPBACK}:{port}"], labels: {{ job: {job} }} }}\n' for job, port in scraped.items()]
    return {
        "scrape.yml": "".join(rows),
        "alertmanager.yml": f'- {{ targets: ["{LOOPBACK}:{ports.alertmanager}"] }}\n',
    }


def components(
    layout: Layout, ports: Ports, *, overlays: tuple[str, ...] = (), environment: dict[str, str] | None = None
) -> dict[Name, Component]:
    """Return every component by name.

    Args:
        layout: where binaries, configuration and data are.
        ports: what to listen on.
        overlays: names of files in `collector/overlays/` without their ending.
        environment: further variables for the collector, `STACK_*` as its file documents them.
    """
    found = (
        _jaeger(layout, ports),
        _prometheus(layout, ports),
        _loki(layout, ports),
        _alertmanager(layout, ports),
        _otelcol(layout, ports, overlays, environment or {}),
    )
    return {component.name: component for component in found}


def _otelcol(layout: Layout, ports: Ports, overlays: tuple[str, ...], environment: dict[str, str]) -> Component:
    files = (layout.collector / "otelcol.yaml", *(layout.collector / "overlays" / f"{name}.yaml" for name in overlays))
    own = {
        "STACK_BIND": LOOPBACK,
        "STACK_OTLP_GRPC_PORT": str(ports.otlp_grpc),
        "STACK_OTLP_HTTP_PORT": str(ports.otlp_http),
        "STACK_OTELCOL_METRICS_PORT": str(ports.otelcol_metrics),
        "STACK_QUEUE_DIR": str(layout.data / "otelcol" / "queue"),
        "STACK_JAEGER_OTLP": f"{LOOPBACK}:{ports.jaeger_otlp}",
        "STACK_PROMETHEUS_OTLP": f"http://{LOOPBACK}:{ports.prometheus}/api/v1/otlp",
        "STACK_LOKI_OTLP": f"http://{LOOPBACK}:{ports.loki}/otlp",
    }
    return Component(
        name="otelcol",
        command=(str(layout.binaries["otelcol-mita"]), *(f"--config={file}" for file in files)),
        environment={**own, **environment},
        ready_url=f"http://{LOOPBACK}:{ports.otlp_http}/v1/traces",
    )


def _jaeger(layout: Layout, ports: Ports) -> Component:
    return Component(
        name="jaeger",
        command=(str(layout.binaries["jaeger"]), f"--config={layout.collector / 'jaeger' / 'jaeger.yaml'}"),
        environment={
            "STACK_BIND": LOOPBACK,
            "STACK_DATA_DIR": str(layout.data),
            "STACK_JAEGER_PORT": str(ports.jaeger),
            "STACK_JAEGER_QUERY_GRPC_PORT": str(ports.jaeger_query_grpc),
            "STACK_JAEGER_OTLP_PORT": str(ports.jaeger_otlp),
            "STACK_JAEGER_HEALTH_PORT": str(ports.jaeger_health),
            "STACK_JAEGER_METRICS_PORT": str(ports.jaeger_metrics),
            "STACK_PROMETHEUS_URL": f"http://{LOOPBACK}:{ports.prometheus}",
        },
        ready_url=f"http://{LOOPBACK}:{ports.jaeger_health}/status",
    )


def _prometheus(layout: Layout, ports: Ports) -> Component:
    return Component(
        name="prometheus",
        command=(
            str(layout.binaries["prometheus"]),
            f"--config.file={layout.prometheus / 'prometheus.yml'}",
            f"--storage.tsdb.path={layout.data / 'prometheus'}",
            f"--web.listen-address={LOOPBACK}:{ports.prometheus}",
            *PROMETHEUS_FLAGS,
        ),
        environment={},
        ready_url=f"http://{LOOPBACK}:{ports.prometheus}/-/ready",
    )


def _loki(layout: Layout, ports: Ports) -> Component:
    return Component(
        name="loki",
        command=(
            str(layout.binaries["loki"]),
            f"-config.file={layout.collector / 'loki' / 'loki.yaml'}",
            "-config.expand-env=true",
        ),
        environment={
            "STACK_BIND": LOOPBACK,
            "STACK_DATA_DIR": str(layout.data),
            "STACK_LOKI_PORT": str(ports.loki),
            "STACK_LOKI_GRPC_PORT": str(ports.loki_grpc),
            "STACK_LOKI_RULES_DIR": str(layout.collector / "loki" / "rules"),
            "STACK_ALERTMANAGER_URL": f"http://{LOOPBACK}:{ports.alertmanager}",
        },
        ready_url=f"http://{LOOPBACK}:{ports.loki}/ready",
    )


def _alertmanager(layout: Layout, ports: Ports) -> Component:
    return Component(
        name="alertmanager",
        command=(
            str(layout.binaries["alertmanager"]),
            f"--config.file={layout.alertmanager / 'alertmanager.yml'}",
            f"--storage.path={layout.data / 'alertmanager'}",
            f"--web.listen-address={LOOPBACK}:{ports.alertmanager}",
            f"--web.external-url=http://{LOOPBACK}:{ports.alertmanager}",  # links in messages lead there
            "--cluster.listen-address=",  # it would listen on every interface to find its like
        ),
        environment={},
        ready_url=f"http://{LOOPBACK}:{ports.alertmanager}/-/ready",
    )
