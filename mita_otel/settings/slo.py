"""What is set about service level objectives."""

import re
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr

from mita_otel.settings.values import Part, Url

_REDIS: Final = r"(?a)(rediss?://[^/\s]+|unix://)\S*"


def _redis(value: SecretStr) -> SecretStr:
    if not re.fullmatch(_REDIS, value.get_secret_value()):
        raise ValueError("no URL of Redis")
    return value


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
    slo_redis_url: Annotated[SecretStr, AfterValidator(_redis)] | None = Field(
        default=None,
        alias="MITA_SLO_REDIS_URL",
        title="the Redis through which processes share their counts, for `/slo/status` without Prometheus",
        description="a URL that begins with redis://, rediss:// or unix://",
    )
