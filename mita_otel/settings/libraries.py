"""What is set about instrumented libraries."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from mita_otel.settings.values import Names, Part, lower


class LibrarySettings(Part):
    """Settings of instrumented libraries."""

    disabled_instrumentations: Names = Field(
        default=(),
        alias="OTEL_PYTHON_DISABLED_INSTRUMENTATIONS",
        title="libraries to leave alone",
        description="library names separated by commas",
    )
    server_path: Annotated[Literal["ours", "native", "contrib"], BeforeValidator(lower)] = Field(
        default="ours",
        alias="MITA_SERVER_PATH",
        title="what traces FastAPI's requests: our own path, its native telemetry, or contrib's instrumentation",
        description="ours, native or contrib",
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
