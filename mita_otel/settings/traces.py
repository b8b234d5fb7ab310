"""What is set about spans."""

from typing import Annotated

from pydantic import Field

from mita_otel.settings.values import Capacity, Names, Part


class TracesSettings(Part):
    """Settings of spans."""

    traces_exporter: Names = Field(
        default=("otlp",),
        alias="OTEL_TRACES_EXPORTER",
        title="where spans go: otlp, console, none, or another exporter that is installed",
        description="exporter names",
    )
    traces_sampler: str | None = Field(
        default=None,
        alias="OTEL_TRACES_SAMPLER",
        title="which traces are kept; without it all are, unless the caller's was not sampled",
        description="a sampler's name",
    )
    attribute_length_limit: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        default=8193,
        alias="OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        title="length of an attribute's text; what is beyond is cut",
        description="characters between 1 and 10000000",
    )
    span_queue_size: Capacity = Field(
        default=65_536,
        alias="OTEL_BSP_MAX_QUEUE_SIZE",
        title="spans that wait for delivery; the oldest make room",
        description="spans between 1 and 1000000",
    )
    span_batch_size: Capacity = Field(
        default=512,
        alias="OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
        title="spans of one request to the receiver",
        description="spans between 1 and 1000000",
    )
    span_schedule_delay: Annotated[int, Field(ge=1, le=600_000)] = Field(
        default=1000,
        alias="OTEL_BSP_SCHEDULE_DELAY",
        title="how long a lone span waits for others",
        description="milliseconds between 1 and 600000",
    )
    fast_path: bool = Field(
        default=True,
        alias="MITA_FAST_PATH",
        title="make spans and log records of our own, which cost less than the SDK's; false: the SDK's own",
        description="true or false",
    )
