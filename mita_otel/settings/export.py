"""What is set about the delivery of spans and log records."""

from pathlib import Path

from pydantic import Field

from mita_otel.settings.values import Part


class ExportSettings(Part):
    """Settings of delivery beyond those of OTLP."""

    spool_directory: Path | None = Field(
        default=None,
        alias="MITA_EXPORT_SPOOL_DIRECTORY",
        title="where spans and log records are stored that an outage leaves over; without it memory alone holds them",
        description="a directory, on a disk that outlives the process",
    )
    spool_limit: int = Field(
        default=268_435_456,
        ge=65_536,
        le=1_099_511_627_776,
        alias="MITA_EXPORT_SPOOL_LIMIT",
        title="how much of the spool one process may fill with one signal; the oldest make room",
        description="bytes between 65536 and 1099511627776",
    )
