"""What is set about service level objectives."""

from pathlib import Path

from pydantic import Field

from mita_otel.settings.values import Part, Url


class SloSettings(Part):
    """Settings of service level objectives."""

    slo_file: Path | None = Field(
        default=None,
        alias="MITA_SLO_FILE",
        title="where the service's objectives are written down; without it no events are counted",
        description="an OpenSLO v1 file",
    )
    prometheus_url: Url | None = Field(
        default=None,
        alias="MITA_PROMETHEUS_URL",
        title="the Prometheus that `/slo/status` asks about all replicas; without it a process tells of itself",
        description="a URL that begins with http:// or https://",
    )
