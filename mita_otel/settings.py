"""Every setting of the distribution, typed and validated; the only reader of the environment."""

import os
import re
from collections.abc import Mapping, MutableMapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from mita_otel.endpoint import OtlpEndpoint, Signal, masked_url, otlp_endpoint
from mita_otel.redaction import REDACTED, is_sensitive_key

OTEL_DEFAULTS: Final[Mapping[str, str]] = {
    # Stable names only: the old HTTP conventions put the client's Host header into metrics.
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",
    # A pipeline that cannot report its own drops loses data quietly.
    "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED": "true",
    # As often as Prometheus would scrape.
    "OTEL_METRIC_EXPORT_INTERVAL": "15000",
    # Cut at the export limit plus one, so that the exporter can tell a cut value from one that just fits.
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "8193",
}
"""Defaults for variables that the SDK reads itself; a variable that is set wins."""

INSTRUMENTED_BY_US: Final = "mita-otel-instruments"
"""Divides, in `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`, what the user disabled from what we instrument ourselves; the
launcher reads the variable after us, and so do child processes."""

DEFAULT_EXCLUDED_PATHS: Final = (
    "/health",
    "/health/*",
    "/metrics",
    "/docs",
    "/docs/*",
    "/redoc",
    "/openapi.json",
    "/favicon.ico",
)
"""Routes that are asked by machines every few seconds, or serve no user."""


class SettingsError(ValueError):
    """One or more variables hold values that are not allowed; `problems` has one sentence for each."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        """Take the problems, keyed by the name of the variable."""
        self.problems = dict(problems)
        super().__init__("; ".join(self.problems.values()))


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.strip().upper() if isinstance(value, str) else value


def _token(value: object) -> object:
    if not isinstance(value, str):
        return value
    # Secrets that are kept in files tend to end with a line break.
    token = value.strip()
    if not re.fullmatch(r"[!-~]{16,}", token):
        raise ValueError("too short for a token, or not ASCII")
    return token


Names = Annotated[tuple[str, ...], BeforeValidator(_split)]
Capacity = Annotated[int, Field(ge=1, le=1_000_000)]
Url = Annotated[str, Field(pattern=r"^https?://[^/\s]+[^\s]*$")]


class Settings(BaseModel):
    """What the environment asks for; a field's description says what is allowed, its title what for."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)

    strict: bool = Field(
        default=False,
        alias="MITA_STRICT",
        title="end the process (status 78) where set-up would otherwise log a fault and go on",
        description="true or false",
    )
    shutdown_timeout: float = Field(
        default=5.0,
        ge=0.1,
        le=60,
        alias="MITA_SHUTDOWN_TIMEOUT",
        title="the time that all signals together have to deliver what is left at the end of a process",
        description="seconds between 0.1 and 60",
    )
    log_format: Annotated[Literal["auto", "json", "text", "none"], BeforeValidator(_lower)] = Field(
        default="auto",
        alias="MITA_LOG_FORMAT",
        title="of standard output: auto is text on a terminal and JSON elsewhere, none leaves the output alone",
        description="auto, json, text or none",
    )
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)] = Field(
        default="INFO",
        alias="MITA_LOG_LEVEL",
        title="of the root logger, unless the application sets one",
        description="DEBUG, INFO, WARNING, ERROR or CRITICAL",
    )
    excluded_paths: Annotated[tuple[Annotated[str, Field(pattern=r"^/")], ...], BeforeValidator(_split)] = Field(
        default=DEFAULT_EXCLUDED_PATHS,
        alias="MITA_EXCLUDED_PATHS",
        title="requests without spans and durations",
        description="paths separated by commas, each beginning with '/', '*' standing for any characters",
    )
    inbound_context: Annotated[Literal["trust", "link", "ignore"], BeforeValidator(_lower)] = Field(
        default="trust",
        alias="MITA_INBOUND_CONTEXT",
        title="what to do with a caller's trace: continue it, start a new one that links to it, or start a new one",
        description="trust, link or ignore",
    )
    trace_response: Annotated[Literal["traceresponse", "server-timing", "both", "none"], BeforeValidator(_lower)] = (
        Field(
            default="both",
            alias="MITA_TRACE_RESPONSE",
            title="response headers that tell the client the trace id",
            description="traceresponse, server-timing, both or none",
        )
    )
    cardinality_limit: int = Field(
        default=2000,
        ge=10,
        le=100_000,
        alias="MITA_CARDINALITY_LIMIT",
        title="what is beyond goes to one series marked otel.metric.overflow, and is counted",
        description="series an instrument, between 10 and 100000",
    )
    log_body_limit: int = Field(
        default=32_768,
        ge=256,
        le=36_864,
        alias="MITA_LOG_BODY_LIMIT",
        title="length of a message and of a stack trace; what is beyond is cut",
        description="characters between 256 and 36864, as much as masking looks at",
    )
    baggage_hosts: Names = Field(
        default=(),
        alias="MITA_BAGGAGE_HOSTS",
        title="outgoing requests to other hosts carry no baggage",
        description="host names separated by commas, to which baggage is passed on",
    )
    slow_query_seconds: float = Field(
        default=0.5,
        ge=0.01,
        le=60,
        alias="MITA_SLOW_QUERY_SECONDS",
        title="an SQL query that takes at least so long is counted, marked on its span, logged and ranked",
        description="seconds between 0.01 and 60",
    )
    slow_query_plan: bool = Field(
        default=False,
        alias="MITA_SLOW_QUERY_PLAN",
        title="ask PostgreSQL for the plan of a slow SELECT, afterwards, on a connection of its own",
        description="true or false",
    )
    n_plus_one: int = Field(
        default=10,
        ge=2,
        le=1000,
        alias="MITA_N_PLUS_ONE",
        title="a statement that runs at least so often for one request is counted, and marked on its span",
        description="executions between 2 and 1000",
    )
    admin_token: Annotated[SecretStr, BeforeValidator(_token)] | None = Field(
        default=None,
        alias="MITA_ADMIN_TOKEN",
        title="what Authorization: Bearer must hold for the doctor's endpoint",
        description="16 or more ASCII characters without spaces; opens GET /_mita/doctor, which is not there without",
    )
    jaeger_url: Url = Field(
        default="http://127.0.0.1:16686",
        alias="MITA_JAEGER_URL",
        title="for mita-otel doctor",
        description="URL of Jaeger's API, where the doctor looks for its span",
    )
    console_url: Url = Field(
        default="http://127.0.0.1:8317",
        alias="MITA_CONSOLE_URL",
        title="for mita-otel doctor",
        description="URL of the console, where the doctor looks for its span",
    )

    sdk_disabled: bool = Field(
        default=False, alias="OTEL_SDK_DISABLED", title="start nothing at all", description="true or false"
    )
    service_name: str | None = Field(
        default=None, alias="OTEL_SERVICE_NAME", title="service.name of everything that leaves", description="any name"
    )
    traces_exporter: Names = Field(
        default=("otlp",),
        alias="OTEL_TRACES_EXPORTER",
        title="where spans go: otlp, console, none, or another exporter that is installed",
        description="exporter names",
    )
    metrics_exporter: Names = Field(
        default=("otlp",),
        alias="OTEL_METRICS_EXPORTER",
        title="where metrics go: otlp, prometheus (a pull endpoint), console, none, or another one",
        description="exporter names",
    )
    logs_exporter: Names = Field(
        default=("otlp",),
        alias="OTEL_LOGS_EXPORTER",
        title="where log records go beside standard output: otlp, console, none, or another one",
        description="exporter names",
    )
    disabled_instrumentations: Names = Field(
        default=(),
        alias="OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        title="libraries to leave alone",
        description="library names separated by commas",
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
    metric_export_interval: Annotated[float, Field(ge=100, le=3_600_000)] = Field(
        default=15_000,
        alias="OTEL_METRIC_EXPORT_INTERVAL",
        title="time between two collections of the metrics",
        description="milliseconds between 100 and 3600000",
    )
    metric_temporality: Annotated[Literal["cumulative", "delta", "lowmemory"], BeforeValidator(_lower)] = Field(
        default="cumulative",
        alias="OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
        title="whether sums tell of everything since the start or since the last collection",
        description="cumulative, delta or lowmemory",
    )
    histogram_aggregation: Annotated[
        Literal["explicit_bucket_histogram", "base2_exponential_bucket_histogram"], BeforeValidator(_lower)
    ] = Field(
        default="explicit_bucket_histogram",
        alias="OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
        title="fixed buckets, or buckets that follow the values",
        description="explicit_bucket_histogram or base2_exponential_bucket_histogram",
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
    propagators: Names | None = Field(
        default=None,
        alias="OTEL_PROPAGATORS",
        title="headers that carry the context; without it those of W3C, traceparent and baggage",
        description="propagator names separated by commas",
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
    otlp: Mapping[Signal, OtlpEndpoint] = Field(default_factory=dict, exclude=True)

    @property
    def disabled_by_user(self) -> tuple[str, ...]:
        """The disabled instrumentations without those that we do ourselves."""
        names = self.disabled_instrumentations
        return names[: names.index(INSTRUMENTED_BY_US)] if INSTRUMENTED_BY_US in names else names

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings from a mapping of environment variables; an empty value counts as not set.

        Raises:
            SettingsError: a variable's value is not allowed; all of them are named at once.
        """
        given = {name: value for name, value in environment.items() if value.strip()}
        problems: dict[str, str] = {}
        endpoints: dict[Signal, OtlpEndpoint] = {}
        signals: tuple[Signal, ...] = ("traces", "metrics", "logs")
        for signal in signals:
            try:
                endpoints[signal] = otlp_endpoint(given, signal)
            except ValueError as error:
                problems[_variable(str(error))] = str(error)
        try:
            settings = cls.model_validate({**given, "otlp": endpoints})
        except ValidationError as error:
            problems.update(_explain(error, given))
        if problems:
            raise SettingsError(problems)
        return settings

    @classmethod
    def read_leniently(cls, environment: Mapping[str, str]) -> tuple[Self, SettingsError | None]:
        """Read the settings, put defaults in the place of values that are not allowed, and say which they were."""
        try:
            return cls.read(environment), None
        except SettingsError as error:
            kept = {name: value for name, value in environment.items() if name not in error.problems}
            try:
                return cls.read(kept), error
            except SettingsError as again:
                # A problem whose variable cannot be told apart costs the whole family its values.
                rest = {name: value for name, value in kept.items() if not name.startswith("OTEL_EXPORTER_OTLP_")}
                return cls.read(rest), SettingsError({**error.problems, **again.problems})


def _variable(problem: str) -> str:
    """Return the name that a problem's sentence begins with."""
    return re.split(r"[^A-Z0-9_]", problem, maxsplit=1)[0]


def _explain(error: ValidationError, given: Mapping[str, str]) -> dict[str, str]:
    allowed = {field.alias: field.description for field in Settings.model_fields.values()}
    names = sorted({str(problem["loc"][0]) for problem in error.errors()})
    shown = {name: _shown(name, given.get(name, "")) for name in names}
    return {
        name: f"{name}={shown[name]!r} is not allowed: it takes {allowed.get(name, 'another value')}" for name in names
    }


def _shown(name: str, value: str) -> str:
    """Return a value as a message may show it."""
    return REDACTED if is_sensitive_key(name) else masked_url(value) if "@" in value else value


def environment() -> MutableMapping[str, str]:
    """Return the process's environment; nothing else in the package touches it."""
    return os.environ


def apply_defaults(variables: MutableMapping[str, str]) -> None:
    """Set what the SDK reads from the environment itself, where the user has not."""
    for name, value in OTEL_DEFAULTS.items():
        if not variables.get(name, "").strip():
            variables[name] = value


def table() -> list[dict[str, Any]]:
    """Return a row for each variable (name, default, allowed values, meaning): the source of the reference page."""
    return [
        {
            "name": field.alias,
            "default": field.get_default(call_default_factory=True),
            "allowed": field.description,
            "meaning": field.title,
        }
        for field in Settings.model_fields.values()
        if field.alias
    ]
