"""What is set about requests, coming in and going out."""

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field

from mita_otel.settings.values import Names, Part, lower, split

DEFAULT_EXCLUDED_PATHS: Final = (
    "/health",
    "/health/*",
    "/metrics",
    "/slo/status",
    "/slo/explain",
    "/docs",
    "/docs/*",
    "/redoc",
    "/openapi.json",
    "/favicon.ico",
)
"""Routes that are asked by machines every few seconds, or serve no user."""


class RequestsSettings(Part):
    """Settings of requests, coming in and going out."""

    excluded_paths: Annotated[tuple[Annotated[str, Field(pattern=r"^/")], ...], BeforeValidator(split)] = Field(
        default=DEFAULT_EXCLUDED_PATHS,
        alias="MITA_EXCLUDED_PATHS",
        title="requests without spans and durations",
        description="paths separated by commas, each beginning with '/', '*' standing for any characters",
    )
    inbound_context: Annotated[Literal["trust", "link", "ignore"], BeforeValidator(lower)] = Field(
        default="trust",
        alias="MITA_INBOUND_CONTEXT",
        title="what to do with a caller's trace: continue it, start a new one that links to it, or start a new one",
        description="trust, link or ignore",
    )
    trace_response: Annotated[Literal["traceresponse", "server-timing", "both", "none"], BeforeValidator(lower)] = (
        Field(
            default="both",
            alias="MITA_TRACE_RESPONSE",
            title="response headers that tell the client the trace id",
            description="traceresponse, server-timing, both or none",
        )
    )
    propagators: Names | None = Field(
        default=None,
        alias="OTEL_PROPAGATORS",
        title="headers that carry the context; without it those of W3C, traceparent and baggage",
        description="propagator names separated by commas",
    )
    baggage_hosts: Names = Field(
        default=(),
        alias="MITA_BAGGAGE_HOSTS",
        title="outgoing requests to other hosts carry no baggage",
        description="host names separated by commas, to which baggage is passed on",
    )
    slow_request_seconds: float = Field(
        default=2.0,
        gt=0,
        le=3600,
        alias="MITA_SLOW_REQUEST_SECONDS",
        title="a request that takes longer is logged, in the stream performance",
        description="seconds above 0, up to 3600",
    )
    trace_url: Annotated[str, Field(pattern=r"^https?://\S*\{trace_id\}\S*$")] | None = Field(
        default=None,
        alias="MITA_TRACE_URL",
        title="where a person finds a trace, such as Jaeger's http://127.0.0.1:16686/trace/{trace_id}; a link in logs",
        description="a URL that holds {trace_id}",
    )
