"""What is set about feature flags."""

from pathlib import Path

from pydantic import Field

from mita_otel.settings.values import Part


class FlagsSettings(Part):
    """Settings of feature flags."""

    flags_file: Path | None = Field(
        default=None,
        alias="MITA_FLAGS_FILE",
        title="where feature flags are read from, anew whenever it changes; without it each has its default",
        description="a JSON or YAML file in flagd's format; needs the extra `flags` of mita-otel",
    )
