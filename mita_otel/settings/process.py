"""What is set about the process as a whole."""

from pydantic import Field

from mita_otel.settings.values import Part


class ProcessSettings(Part):
    """Settings of the process as a whole."""

    sdk_disabled: bool = Field(
        default=False, alias="OTEL_SDK_DISABLED", title="start nothing at all", description="true or false"
    )
    service_name: str | None = Field(
        default=None, alias="OTEL_SERVICE_NAME", title="service.name of everything that leaves", description="any name"
    )
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
    gc_freeze: bool = Field(
        default=True,
        alias="MITA_GC_FREEZE",
        title="leave what is loaded as a process starts out of garbage collections, and hold fewer of them",
        description="true or false",
    )
