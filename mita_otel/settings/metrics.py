"""What is set about metrics."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from mita_otel.settings.values import Names, Part, lower


class MetricsSettings(Part):
    """Settings of metrics."""

    metrics_exporter: Names = Field(
        default=("otlp",),
        alias="OTEL_METRICS_EXPORTER",
        title="where metrics go: otlp, prometheus (a pull endpoint), console, none, or another one",
        description="exporter names",
    )
    metric_export_interval: Annotated[float, Field(ge=100, le=3_600_000)] = Field(
        default=15_000,
        alias="OTEL_METRIC_EXPORT_INTERVAL",
        title="time between two collections of the metrics",
        description="milliseconds between 100 and 3600000",
    )
    metric_temporality: Annotated[Literal["cumulative", "delta", "lowmemory"], BeforeValidator(lower)] = Field(
        default="cumulative",
        alias="OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        title="whether sums tell of everything since the start or since the last collection",
        description="cumulative, delta or lowmemory",
    )
    histogram_aggregation: Annotated[
        Literal["explicit_bucket_histogram", "base2_exponential_bucket_histogram"], BeforeValidator(lower)
    ] = Field(
        default="explicit_bucket_histogram",
        alias="OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        title="fixed buckets, or buckets that follow the values",
        description="explicit_bucket_histogram or base2_exponential_bucket_histogram",
    )
    cardinality_limit: int = Field(
        default=2000,
        ge=10,
        le=100_000,
        alias="MITA_CARDINALITY_LIMIT",
        title="what is beyond goes to one series marked otel.metric.overflow, and is counted",
        description="series an instrument, between 10 and 100000",
    )
    prometheus_host: str = Field(
        default="127.0.0.1",
        alias="OTEL_EXPORTER_PROMETHEUS_HOST",
        title="address of the pull endpoint",
        description="an address to listen on",
    )
    prometheus_port: Annotated[int, Field(ge=1, le=65_535)] = Field(
        default=9464,
        alias="OTEL_EXPORTER_PROMETHEUS_PORT",
        title="port of the pull endpoint; each worker takes the next free one",
        description="a port between 1 and 65535",
    )
