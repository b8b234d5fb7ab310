"""What is set about log records."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from mita_otel.settings.values import Capacity, Names, Part, lower, pairs, upper

Level = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(upper)]


class LogsSettings(Part):
    """Settings of log records."""

    log_format: Annotated[Literal["auto", "json", "text", "none"], BeforeValidator(lower)] = Field(
        default="auto",
        alias="MITA_LOG_FORMAT",
        title="of standard output: auto is text on a terminal and JSON elsewhere, none leaves the output alone",
        description="auto, json, text or none",
    )
    log_level: Level = Field(
        default="INFO",
        alias="MITA_LOG_LEVEL",
        title="of the root logger, unless the application sets one",
        description="DEBUG, INFO, WARNING, ERROR or CRITICAL",
    )
    log_levels: Annotated[Mapping[str, Level] | None, BeforeValidator(pairs)] = Field(
        default=None,
        alias="MITA_LOG_LEVELS",
        title="of single loggers, before the application configures its own; sqlalchemy has WARNING if nothing is said",
        description="name=LEVEL, divided by commas",
    )
    log_directory: Path | None = Field(
        default=None,
        alias="MITA_LOG_DIRECTORY",
        title="where six rotating files are written; without one there are none",
        description="the path of a folder",
    )
    log_body_limit: int = Field(
        default=32_768,
        ge=256,
        le=36_864,
        alias="MITA_LOG_BODY_LIMIT",
        title="length of a message and of a stack trace; what is beyond is cut",
        description="characters between 256 and 36864, as much as masking looks at",
    )
    logs_exporter: Names = Field(
        default=("otlp",),
        alias="OTEL_LOGS_EXPORTER",
        title="where log records go beside standard output: otlp, console, none, or another one",
        description="exporter names",
    )
    log_queue_size: Capacity = Field(
        default=65_536,
        alias="OTEL_BLRP_MAX_QUEUE_SIZE",
        title="log records that wait for delivery; the oldest make room",
        description="log records between 1 and 1000000",
    )
    log_batch_size: Capacity = Field(
        default=512,
        alias="OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
        title="log records of one request to the receiver",
        description="log records between 1 and 1000000",
    )
    log_schedule_delay: Annotated[int, Field(ge=1, le=600_000)] = Field(
        default=1000,
        alias="OTEL_BLRP_SCHEDULE_DELAY",
        title="how long a lone log record waits for others",
        description="milliseconds between 1 and 600000",
    )
